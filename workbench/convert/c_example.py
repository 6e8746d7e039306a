"""The text of the three files that a microcontroller's project is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.evaluate.c_source import array_of

if TYPE_CHECKING:
    from workbench.convert.micro import MicroFacts, MicroTensor

_C_TYPES = {"float32": "float", "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t",
            "int64": "int64_t", "bool": "bool"}  # fmt: skip
_MEMBERS = {"float32": "f", "int8": "int8", "uint8": "uint8", "int16": "i16", "int32": "i32", "int64": "i64",
            "bool": "b"}  # fmt: skip


def header_of(name: str, facts: MicroFacts) -> str:
    """Return `model.h`: the array's declaration, and what goes in and out of the model."""
    guard = f"{name.upper()}_H_"
    lines = [f"// {line}" for line in _described(facts)]
    return "\n".join(
        (
            *lines, f"#ifndef {guard}", f"#define {guard}", "", f"extern const unsigned char {name}[];",
            f"extern const unsigned int {name}_len;", "", f"#endif  // {guard}", "",
        )
    )  # fmt: skip


def source_of(content: bytes, name: str) -> str:
    """Return `model.cc`: the file's bytes."""
    return f'#include "model.h"\n\n{array_of(content, name)}'


def example_of(name: str, facts: MicroFacts) -> str:
    """Return `example.cc`: the least that runs the model once."""
    given, answered = facts.inputs[0], facts.outputs[0]
    return _EXAMPLE.format(
        described="\n".join(f"// {line}" for line in _described(facts)),
        name=name,
        arena=facts.arena,
        count=max(len(facts.methods), 1),
        added="\n".join(f"  resolver.{method}();" for method in facts.methods),
        given=_C_TYPES.get(given.dtype, given.dtype),
        given_values=_elements(given),
        given_member=_MEMBERS.get(given.dtype, given.dtype),
        answered=_C_TYPES.get(answered.dtype, answered.dtype),
        answered_member=_MEMBERS.get(answered.dtype, answered.dtype),
        answered_values=_elements(answered),
        real=_real(answered),
        stored=_stored(given),
    )


def _described(facts: MicroFacts) -> list[str]:
    lines = [f"{kind}: {_said(tensor)}" for kind, tensor in
             (*(("Input", each) for each in facts.inputs), *(("Output", each) for each in facts.outputs))]  # fmt: skip
    lines.append(
        f"Tensor arena: begin with {facts.arena} bytes, then ask interpreter.arena_used_bytes() what it really takes."
    )
    lines.append(f"Operators to register: {', '.join(method.removeprefix('Add') for method in facts.methods)}.")
    if facts.missing:
        lines.append(f"NOT in TensorFlow Lite for Microcontrollers: {', '.join(facts.missing)}.")
    return lines


def _said(tensor: MicroTensor) -> str:
    shape = " x ".join(map(str, tensor.shape)) or "one value"
    said = f"{_ascii(tensor.name)}, {tensor.dtype}, {shape}"
    if not tensor.scale:
        return said
    return f"{said}; real value = ({tensor.scale!r}) * (stored - ({tensor.zero_point}))"


def _ascii(text: str) -> str:
    return "".join(sign if sign.isascii() and sign.isprintable() and sign != "\\" else "?" for sign in text)


def _elements(tensor: MicroTensor) -> int:
    count = 1
    for axis in tensor.shape:
        count *= abs(axis)
    return count


def _stored(tensor: MicroTensor) -> str:
    if not tensor.scale:
        return "A value is stored as it is."
    return f"stored = round(real / {tensor.scale!r}) + ({tensor.zero_point}), kept within the type's range."


def _real(tensor: MicroTensor) -> str:
    value = "answers[i]"
    return f"({value} - ({tensor.zero_point})) * {tensor.scale!r}f" if tensor.scale else f"(float){value}"


_EXAMPLE = """// The least that runs the model once with TensorFlow Lite for Microcontrollers.
{described}

#include <cstdint>
#include <cstdio>

#include "model.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {{
alignas(16) uint8_t arena[{arena}];
}}

int main() {{
  tflite::InitializeTarget();
  tflite::MicroMutableOpResolver<{count}> resolver;
{added}

  tflite::MicroInterpreter interpreter(tflite::GetModel({name}), resolver, arena, sizeof(arena));
  if (interpreter.AllocateTensors() != kTfLiteOk) {{
    printf("The arena is too small.\\n");
    return 1;
  }}

  // {stored}
  {given}* sample = interpreter.input(0)->data.{given_member};
  for (int i = 0; i < {given_values}; ++i) sample[i] = 0;
  if (interpreter.Invoke() != kTfLiteOk) return 1;

  const {answered}* answers = interpreter.output(0)->data.{answered_member};
  for (int i = 0; i < {answered_values}; ++i) printf("%f\\n", {real});
  printf("The arena used %u bytes.\\n", static_cast<unsigned>(interpreter.arena_used_bytes()));
  return 0;
}}
"""
