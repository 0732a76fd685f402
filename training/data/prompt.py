"""The prompt, exactly as the TypeScript engine writes it.

One file knows the special tokens, the schema hint, the tools block and the JSON style;
the generator, the evaluation and the tokenizer's chat template all follow it.
"""

import json
from typing import Any

SPECIAL = ("<|pad|>", "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tools|>")
PAD, BOS, END = 0, 1, 2
SCHEMA_TEXT = "Answer in JSON that fits this schema:\n"
TOOLS_TEXT = 'Call one of the tools. Answer in JSON: {"name":…,"arguments":{…}}'
REMOVED = frozenset(("$schema", "$id", "$comment", "title", "examples", "default"))
SAFE = 9007199254740991
NAMED_MAPS = frozenset(("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"))
VERBATIM = frozenset(("enum", "const", "required"))

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}{% if message['role'] == 'system' %}"
    "<|system|>{{ message['content'] }}<|end|>{% endif %}{% endfor %}"
    "{% if tools_json %}<|tools|>{{ tools_json }}<|end|>"
    "{% elif tools %}<|tools|>["
    "{% for tool in tools %}{% set f = tool['function'] if tool['function'] else tool %}"
    '{"name":{{ f[\'name\'] | tojson }}'
    '{% if f[\'description\'] %},"description":{{ f[\'description\'] | tojson }}{% endif %}'
    ',"parameters":{{ f[\'parameters\'] | tojson }}}'
    "{% if not loop.last %},{% endif %}{% endfor %}]<|end|>{% endif %}"
    "{% for message in messages %}{% if message['role'] != 'system' %}"
    "<|{{ 'user' if message['role'] == 'tool' else message['role'] }}|>{% if message['tool_calls'] %}"
    "{% if message['tool_calls'] | length > 1 %}{{ raise_exception('a turn has one call') }}{% endif %}"
    "{% set call = message['tool_calls'][0] %}{% set f = call['function'] if call['function'] else call %}"
    '{"name":{{ f[\'name\'] | tojson }},"arguments":{{ f[\'arguments\'] if f[\'arguments\'] is string else f[\'arguments\'] | tojson }}}'
    "{% else %}{{ message['content'] }}{% endif %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def compact(value: Any) -> str:
    """JSON as JSON.stringify writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def hint(schema: Any) -> Any:
    """The schema without the keywords that the engine leaves out of the prompt."""
    if isinstance(schema, list):
        return [hint(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if (
            key in REMOVED
            or (key == "additionalProperties" and value is False)
            or (key == "pattern" and "format" in schema)
            or (key == "minimum" and value == -SAFE)
            or (key == "maximum" and value == SAFE)
        ):
            continue
        if key in NAMED_MAPS:
            out[key] = {name: hint(part) for name, part in value.items()}
        else:
            out[key] = value if key in VERBATIM else hint(value)
    return out


def tools_json(tools: list[dict]) -> str:
    return compact([{**tool, "parameters": hint(tool["parameters"])} for tool in tools])


def render(sample: dict) -> str:
    """The text before the answer, generation prompt included."""
    tools = sample.get("tools")
    asked = TOOLS_TEXT if tools else SCHEMA_TEXT + compact(hint(sample["schema"]))
    own = [m["content"] for m in sample["messages"] if m["role"] == "system"]
    parts = ["<|bos|><|system|>", "\n".join([*own, asked]), "<|end|>"]
    if tools:
        parts += ["<|tools|>", tools_json(tools), "<|end|>"]
    for message in sample["messages"]:
        if message["role"] != "system":
            parts.append(f"<|{message['role']}|>{message['content']}<|end|>")
    return "".join(parts) + "<|assistant|>"
