"""Dashboards: panels in a layout with one shared session, and the server that shows them."""
