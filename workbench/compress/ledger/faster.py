"""Why is it not faster? Answers from a profile and what the processor can do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.records.ledger import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.records.ledger import Profile

# Products of bytes in one instruction, and the widths that float32 is multiplied at.
_BYTE_PRODUCTS = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
_WIDTHS = ("avx2", "avx512f", "neon", "asimd")
_QUANTIZE = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QUANTIZE", "DEQUANTIZE")
_DYNAMIC = ("DynamicQuantizeLinear", "ConvInteger", "MatMulInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat")
_INTEGERS = ("int8", "int16x8", "dynamic", "int4")
_SPARSE = 0.3
_NOTABLE = 0.15
_WORTH_BATCHING = 1.3
_DOMINATES = 0.5
# Differences of a few per cent are noise.
_FASTER, _BEYOND = 1.03, 1.05


def cpu_features() -> tuple[str, ...]:
    """Return which of the instruction sets that matter to int8 this processor has; nothing where that is not told."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ()
    lines = (line for line in text.splitlines() if line.lower().startswith(("flags", "features")))
    found = set(next(lines, "").split())
    return tuple(name for name in (*_WIDTHS, *_BYTE_PRODUCTS) if name in found)


def why_not_faster(
    numeric: str,
    sparsity: float,
    profile: Profile | None,
    features: tuple[str, ...],
    *,
    baseline: Profile | None = None,
    name: str = "",
) -> Iterator[Finding]:
    """Give what is to be said of a model's speed, the weightiest first.

    Args:
        numeric: Type of the weights.
        sparsity: Share of zeros among them.
        profile: Where the time goes; None where it was not measured.
        features: What `cpu_features` says.
        baseline: The profile of another model, such as the float32 one, for a comparison.
        name: What that model is called.
    """
    if profile is None:
        yield Finding(
            topic="not_timed",
            text="Its time was not measured: TensorFlow and packed models are not timed by operator. Convert it to "
            "onnx or tflite and ask again.",
        )
    if profile is not None and baseline is not None:
        yield _compared(profile, baseline, name)
    if sparsity >= _SPARSE:
        yield Finding(
            topic="no_sparse_kernel",
            text=f"{sparsity:.0%} zeros make no call faster: neither ONNX Runtime nor LiteRT runs a sparse kernel for "
            "this file on a CPU, and a zero is multiplied like any other weight. For speed take whole channels out, "
            "use a smaller network, or quantise.",
        )
    if numeric == "float16":
        yield Finding(
            topic="float16",
            text="float16 halves the bytes, not the time: on a CPU the weights are turned into float32 before they "
            "are multiplied. For speed use int8 with a representative dataset.",
        )
    quantised = numeric in _INTEGERS or (profile is not None and profile.of(*_QUANTIZE)[0] > 0)
    if quantised:
        yield from _integers(profile, features, None if profile is None else _gain(profile, baseline))
    if profile is not None:
        yield from _calls(profile)


def _gain(profile: Profile, baseline: Profile | None) -> float | None:
    """Return how many times faster it is than the other one; None where there is none."""
    return None if baseline is None else baseline.call_ms / profile.call_ms


def _compared(profile: Profile, baseline: Profile, name: str) -> Finding:
    ratio = profile.call_ms / baseline.call_ms
    factor = max(ratio, 1 / ratio)
    takes = f"is {factor:.2f} times {'slower' if ratio > 1 else 'faster'} than"
    if factor < _FASTER:
        takes = "takes as long as"
    return Finding(
        topic="compared",
        text=f"It {takes} {name or 'the model it is compared with'}: "
        f"{profile.call_ms:.3f} ms a call beside {baseline.call_ms:.3f} ms (batch {profile.batch}, threads "
        f"{profile.threads}, median of {profile.runs}); differences of a few per cent are noise.",
    )


def _integers(profile: Profile | None, features: tuple[str, ...], gain: float | None) -> Iterator[Finding]:
    if profile is not None and (finding := _conversions(profile)):
        yield finding
    if profile is not None and profile.of(*_DYNAMIC)[0]:
        count, share = profile.of(*_DYNAMIC)
        yield Finding(
            topic="dynamic",
            text=f"{count} operator(s) quantise anew in every call{_of_time(share)}: dynamic quantization measures the "
            "ranges of what comes in each time, and its convolutions (ConvInteger) are slow. Use static int8, whose "
            "ranges are measured once on a representative dataset.",
        )
    yield _products(features, gain)


def _products(features: tuple[str, ...], gain: float | None) -> Finding:
    """Say what the processor's instructions mean for int8, beside the gain that was measured."""
    products = [name for name in features if name in _BYTE_PRODUCTS]
    if products:
        slower = (
            "the model is too small for it: quantizing, dequantizing and the call itself take what the products save"
        )
        means = f"so that int8 can be faster here; where it is not, {slower}"
        if gain is not None:
            means = "which is where its gain comes from" if gain >= _FASTER else f"but {slower}"
        return Finding(
            topic="vnni",
            text=f"This processor multiplies bytes in one instruction ({', '.join(products)}), {means}.",
        )
    means = "and is often slower"
    if gain is not None:
        means = "and what it gains all the same is in memory" if gain >= _FASTER else "and so gains nothing"
    return Finding(
        topic="no_vnni",
        text=f"This processor has no instruction that multiplies bytes (VNNI; it has "
        f"{', '.join(features) or 'none of those known'}): int8 takes several instructions where float32 takes one, "
        f"{means}. Where avx512_vnni or avx_vnni is, it is faster.",
    )


def _conversions(profile: Profile) -> Finding | None:
    count, share = profile.of(*_QUANTIZE)
    if not count:
        return None
    total = sum(each.count for each in profile.operators)
    return Finding(
        topic="quantize_share",
        text=f"{count} of {total} operators quantise or dequantise{_of_time(share)}: each passes over all values once "
        "and multiplies nothing. They stay wherever an operator beside them has no int8 kernel; quantise the whole "
        "graph, leave float the operators that have none, and expect no gain from small layers.",
    )


def _calls(profile: Profile) -> Iterator[Finding]:
    yield from _operators(profile)
    if profile.overhead_ms is not None and profile.overhead_ms > _NOTABLE * profile.call_ms:
        yield Finding(
            topic="overhead",
            text=f"{profile.overhead_ms:.3f} of {profile.call_ms:.3f} ms a call "
            f"({profile.overhead_ms / profile.call_ms:.0%}) are spent outside of the operators, in the call itself: no "
            "compression changes that; give it more samples a call.",
        )
    if profile.sample_ms > _WORTH_BATCHING * profile.wide_ms:
        fixed = _fixed_share(profile)
        why = "what is fixed a call dominates" if fixed > _DOMINATES else f"some {fixed:.0%} of a call are fixed"
        yield Finding(
            topic="batch",
            text=f"At {profile.batch} sample(s) a call a sample takes {profile.sample_ms:.3f} ms, in calls of "
            f"{profile.wide_batch} {profile.wide_ms:.3f} ms ({profile.sample_ms / profile.wide_ms:.1f} times less): "
            f"{why}; evaluate and serve in batches.",
        )
    cores = os.cpu_count() or 1
    if profile.threads < cores:
        yield Finding(
            topic="threads",
            text=f"It was timed on {profile.threads} of {cores} threads: more of them help large layers and many "
            "samples a call, and cost small ones time.",
        )


def _operators(profile: Profile) -> Iterator[Finding]:
    inside = sum(each.ms or 0.0 for each in profile.operators)
    if profile.operators and all(each.ms is None for each in profile.operators):
        yield Finding(
            topic="not_by_operator",
            text="Its operators are counted and not timed (shown as -): LiteRT's Python package does not tell where "
            "the time of a call goes. ONNX Runtime does: convert it to onnx to see.",
        )
    elif inside > _BEYOND * profile.call_ms:
        yield Finding(
            topic="profiling",
            text=f"The operators' times add up to {inside:.3f} ms, more than the {profile.call_ms:.3f} ms of a call: "
            "they are measured in calls of their own, which watching each operator slows down. Read them as shares.",
        )


def _fixed_share(profile: Profile) -> float:
    """Return the share of a call that costs the same whatever the number of samples, from two such numbers."""
    if profile.batch >= profile.wide_batch:
        return 0.0
    fixed = (profile.sample_ms - profile.wide_ms) / (1 / profile.batch - 1 / profile.wide_batch)
    return min(1.0, fixed / profile.call_ms)


def _of_time(share: float | None) -> str:
    return "" if share is None else f" ({share:.0%} of the operators' time)"
