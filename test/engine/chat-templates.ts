/**
 * The habits of widespread chat templates, each reduced to what matters for where messages, tools, calls and results come to stand, in words of
 * our own. Signs of turns are shortened.
 */

/** No system messages, strict alternation, no tools. */
const gemma = `{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for m in messages %}
{%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}
{%- if m.role == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = m.role %}{% endif %}
{{- '<turn>' + role + '\\n' + m.content | trim + '<end>\\n' }}
{%- endfor %}{% if add_generation_prompt %}{{ '<turn>model\\n' }}{% endif %}`;

/** The system message joins the first user message; content may be parts; otherwise as the one before. */
const gemma3 = `{%- if messages[0]['role'] == 'system' %}
{%- if messages[0]['content'] is string %}{% set first = messages[0]['content'] + '\\n\\n' %}{% else %}{% set first = messages[0]['content'][0]['text'] + '\\n\\n' %}{% endif %}
{%- set rest = messages[1:] %}{% else %}{% set first = '' %}{% set rest = messages %}{% endif %}
{%- for m in rest %}
{%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}
{%- if m['role'] == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = m['role'] %}{% endif %}
{{- '<turn>' + role + '\\n' + (first if loop.first else '') }}
{%- if m['content'] is string %}{{ m['content'] | trim }}{% else %}{% for part in m['content'] %}{{ part['text'] | trim }}{% endfor %}{% endif %}
{{- '<end>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<turn>model\\n' }}{% endif %}`;

/** Alternation of what is said, ids of nine letters and digits, tools and the system message at the last user message only. */
const mistral = `{%- if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% set turns = messages[1:] %}
{%- else %}{% set turns = messages %}{% endif %}
{%- set users = turns | selectattr('role', 'equalto', 'user') | list %}
{%- set ns = namespace(i=0) %}
{%- for m in turns %}{% if m['role'] == 'user' or (m['role'] == 'assistant' and m.tool_calls is undefined) %}
{%- if (m['role'] == 'user') != (ns.i % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}
{%- set ns.i = ns.i + 1 %}{% endif %}{% endfor %}
{{- bos_token }}
{%- for m in turns %}
{%- if m['role'] == 'user' %}
{%- if tools is defined and tools is not none and m == users[-1] %}{{ '[TOOLS]' + (tools | tojson) + '[/TOOLS]' }}{% endif %}
{%- if loop.last and system is defined %}{{ '[INST]' + system + '\\n\\n' + m['content'] + '[/INST]' }}
{%- else %}{{ '[INST]' + m['content'] + '[/INST]' }}{% endif %}
{%- elif m.tool_calls is defined and m.tool_calls is not none %}{{ '[CALLS][' }}
{%- for c in m.tool_calls %}
{%- set out = c.function | tojson %}{{ out[:-1] }}
{%- if c.id is undefined or c.id | length != 9 %}{{ raise_exception('Ids must have nine characters') }}{% endif %}
{{- ', "id": "' + c.id + '"}' }}{% if not loop.last %}{{ ', ' }}{% else %}{{ ']' + eos_token }}{% endif %}{% endfor %}
{%- elif m['role'] == 'assistant' %}{{ ' ' + m['content'] | trim + eos_token }}
{%- elif m['role'] == 'tool' %}
{%- if m.tool_call_id is undefined or m.tool_call_id | length != 9 %}{{ raise_exception('Ids must have nine characters') }}{% endif %}
{{- '[RESULT]{"content": ' + m['content'] | string + ', "call_id": "' + m.tool_call_id + '"}[/RESULT]' }}
{%- else %}{{ raise_exception('Unknown role') }}{% endif %}{% endfor %}`;

/** Tools in the first user message, one call a turn, arguments as objects. */
const llama = `{{- bos_token }}{% if tools is not defined %}{% set tools = none %}{% endif %}
{%- if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] | trim %}{% set messages = messages[1:] %}{% else %}{% set system = '' %}{% endif %}
{{- '<system>' }}{% if tools is not none %}{{ 'Environment: ipython\\n' }}{% endif %}{{ system + '<eot>' }}
{%- if tools is not none %}
{%- if messages | length != 0 %}{% set first = messages[0]['content'] | trim %}{% set messages = messages[1:] %}
{%- else %}{{ raise_exception('Nothing to put the tools into') }}{% endif %}
{{- '<user>Given the following functions, respond with {"name": function name, "parameters": dictionary of arguments}.\\n\\n' }}
{%- for t in tools %}{{ t | tojson(indent=4) }}{{ '\\n\\n' }}{% endfor %}{{ first + '<eot>' }}{% endif %}
{%- for m in messages %}
{%- if not (m.role == 'tool' or 'tool_calls' in m) %}{{ '<' + m['role'] + '>' + m['content'] | trim + '<eot>' }}
{%- elif 'tool_calls' in m %}
{%- if m.tool_calls | length != 1 %}{{ raise_exception('One call at once') }}{% endif %}
{%- set c = m.tool_calls[0].function %}{{ '<assistant>{"name": "' + c.name + '", "parameters": ' }}{{ c.arguments | tojson }}{{ '}<eot>' }}
{%- else %}{{ '<ipython>' }}{% if m.content is mapping or m.content is iterable %}{{ m.content | tojson }}{% else %}{{ m.content }}{% endif %}{{ '<eot>' }}{% endif %}
{%- endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}`;

/** Calls as tool_call elements of JSON, a system message of its own, results in a user turn. */
const qwen = `{%- if tools %}{{- '<system>' }}{% if messages[0].role == 'system' %}{{ messages[0].content }}{% else %}{{ 'You are Qwen.' }}{% endif %}
{{- '\\n\\n# Tools\\n<tools>' }}{% for t in tools %}{{ '\\n' }}{{ t | tojson }}{% endfor %}
{{- '\\n</tools>\\nReturn each call within <tool_call></tool_call>:\\n<tool_call>\\n{"name": <function-name>, "arguments": <args-json-object>}\\n</tool_call><end>\\n' }}
{%- else %}{% if messages[0].role == 'system' %}{{ '<system>' + messages[0].content + '<end>\\n' }}{% else %}{{ '<system>You are Qwen.<end>\\n' }}{% endif %}{% endif %}
{%- for m in messages %}
{%- if m.role == 'user' or (m.role == 'system' and not loop.first) or (m.role == 'assistant' and not m.tool_calls) %}{{ '<' + m.role + '>' + m.content + '<end>\\n' }}
{%- elif m.role == 'assistant' %}{{ '<assistant>' }}{% if m.content %}{{ '\\n' + m.content }}{% endif %}
{%- for c in m.tool_calls %}{% if c.function is defined %}{% set c = c.function %}{% endif %}{{ '\\n<tool_call>\\n{"name": "' + c.name + '", "arguments": ' }}{{ c.arguments | tojson }}{{ '}\\n</tool_call>' }}{% endfor %}{{ '<end>\\n' }}
{%- elif m.role == 'tool' %}{% if loop.index0 == 0 or messages[loop.index0 - 1].role != 'tool' %}{{ '<user>' }}{% endif %}
{{- '\\n<tool_response>\\n' + m.content + '\\n</tool_response>' }}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{ '<end>\\n' }}{% endif %}{% endif %}{% endfor %}
{%- if add_generation_prompt %}{{ '<assistant>' }}{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}{% endif %}`;

/** Calls as tool_call elements whose inside is no JSON (Qwen 3 Coder). */
const coder = `{%- if messages[0].role == 'system' %}{{ '<system>' + messages[0].content }}{% set messages = messages[1:] %}{% else %}{{ '<system>' }}{% endif %}
{%- if tools %}{{ '\\n<tools>' }}{% for t in tools %}{{ '\\n<function>\\n<name>' + t.function.name + '</name>' }}
{%- for p, f in t.function.parameters.properties | items %}{{ '\\n<parameter>' + p + '</parameter>' }}{% endfor %}{{ '</function>' }}{% endfor %}
{{- '\\n</tools>\\nReply like\\n<tool_call>\\n<function=name>\\n<parameter=p>\\nvalue\\n</parameter>\\n</function>\\n</tool_call>' }}{% endif %}{{ '<end>\\n' }}
{%- for m in messages %}
{%- if m.role == 'assistant' and m.tool_calls is defined %}{{ '<assistant>' + m.content }}
{%- for c in m.tool_calls %}{{ '<tool_call>\\n<function=' + c.function.name + '>\\n' }}{% for p, v in c.function.arguments | items %}{{ '<parameter=' + p + '>\\n' }}{{ (v | tojson) if v is mapping or (v is sequence and v is not string) else v | string }}{{ '\\n</parameter>\\n' }}{% endfor %}{{ '</function>\\n</tool_call>' }}{% endfor %}{{ '<end>\\n' }}
{%- elif m.role == 'tool' %}{{ '<user><tool_response>' + m.content + '</tool_response><end>\\n' }}
{%- else %}{{ '<' + m.role + '>' + m.content + '<end>\\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}`;

/** Whatever roles there are between signs (Phi 3, ChatML of SmolLM 2 with its system message). */
const phi3 = `{% for m in messages %}{% if m['role'] == 'system' and m['content'] %}{{ '<|system|>\\n' + m['content'] + '<|end|>\\n' }}{% elif m['role'] == 'user' %}{{ '<|user|>\\n' + m['content'] + '<|end|>\\n' }}{% elif m['role'] == 'assistant' %}{{ '<|assistant|>\\n' + m['content'] + '<|end|>\\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}`;
const phi4 = `{% for m in messages %}{% if m['role'] == 'system' %}{{ '<|im_start|>system<|im_sep|>' + m['content'] + '<|im_end|>' }}{% elif m['role'] == 'user' %}{{ '<|im_start|>user<|im_sep|>' + m['content'] + '<|im_end|>' }}{% elif m['role'] == 'assistant' %}{{ '<|im_start|>assistant<|im_sep|>' + m['content'] + '<|im_end|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %}`;
const smollm = `{% for m in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<system>You are SmolLM<end>\\n' }}{% endif %}{{ '<' + m['role'] + '>' + m['content'] + '<end>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}`;

/** Tools in a turn of their own, results too, calls nowhere. */
const granite = `{%- if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% set rest = messages[1:] %}{% else %}{% set system = 'You are Granite.' %}{% set rest = messages %}{% endif %}
{{- '<system>' + system + '<end>\\n' }}
{%- if tools %}{{ '<tools>' }}{{ tools | tojson(indent=4) }}{{ '<end>\\n' }}{% endif %}
{%- for m in rest %}{{ '<' + ('tool_response' if m['role'] == 'tool' else m['role']) + '>' + m['content'] + '<end>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}`;

/** Calls only where there is no content, arguments as text; thinking begins at once. */
const deepseek = `{% set ns = namespace(tool=false, system='') %}{% for m in messages %}{% if m['role'] == 'system' %}{% set ns.system = m['content'] %}{% endif %}{% endfor %}{{ bos_token }}{{ ns.system }}
{%- for m in messages %}
{%- if m['role'] == 'user' %}{% set ns.tool = false %}{{ '<User>' + m['content'] }}{% endif %}
{%- if m['role'] == 'assistant' and m['content'] is none %}{% set ns.tool = false %}{{ '<Assistant><calls>' }}
{%- for c in m['tool_calls'] %}{{ '<call>' + c['type'] + '<sep>' + c['function']['name'] + '\\n\`\`\`json\\n' + c['function']['arguments'] + '\\n\`\`\`</call>' }}{% endfor %}{{ '</calls><eos>' }}{% endif %}
{%- if m['role'] == 'assistant' and m['content'] is not none %}
{%- if ns.tool %}{{ '</outputs>' + m['content'] + '<eos>' }}{% set ns.tool = false %}
{%- else %}{{ '<Assistant>' + m['content'].split('</think>')[-1] + '<eos>' }}{% endif %}{% endif %}
{%- if m['role'] == 'tool' %}{% if not ns.tool %}{{ '<outputs>' }}{% endif %}{% set ns.tool = true %}{{ '<output>' + m['content'] + '</output>' }}{% endif %}
{%- endfor %}{% if ns.tool %}{{ '</outputs>' }}{% endif %}{% if add_generation_prompt and not ns.tool %}{{ '<Assistant><think>\\n' }}{% endif %}`;

/** A template of its own for tools, whose descriptions it joins; the default one knows three roles. */
const commandDefault = `{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}{% else %}{% set rest = messages %}{% set system = false %}{% endif %}
{%- if system %}{{ '<SYSTEM>' + system + '<END>' }}{% endif %}
{%- for m in rest %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}
{%- if m['role'] == 'user' %}{{ '<USER>' + m['content'].strip() + '<END>' }}{% elif m['role'] == 'assistant' %}{{ '<CHATBOT>' + m['content'].strip() + '<END>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<CHATBOT>' }}{% endif %}`;
const commandTools = `{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}{% else %}{% set rest = messages %}{% set system = 'You help.' %}{% endif %}
{{- '<SYSTEM># Preamble\\n' + system + '\\n## Available Tools\\n' }}
{%- for t in tools %}{{ 'def ' + t.function.name + '(' }}{% for p, f in t.function.parameters.properties.items() %}{{ p + ', ' }}{% endfor %}{{ '):\\n"""' + t.function.description + '"""\\n' }}{% endfor %}{{ '<END>' }}
{%- for m in rest %}
{%- if m['role'] == 'assistant' and m.tool_calls is defined %}{{ '<CHATBOT>Action: [' }}{% for c in m.tool_calls %}{{ '{"tool_name": "' + c.function.name + '", "parameters": ' }}{{ c.function.arguments | tojson }}{{ '}' }}{% endfor %}{{ ']<END>' }}
{%- elif m['role'] == 'tool' %}{{ '<SYSTEM><results>' + m['content'] + '</results><END>' }}
{%- elif m['role'] == 'user' %}{{ '<USER>' + m['content'].strip() + '<END>' }}{% else %}{{ '<CHATBOT>' + m['content'].strip() + '<END>' }}{% endif %}{% endfor %}
{{- '<SYSTEM>Write Action: followed by a list of actions<END>' }}{% if add_generation_prompt %}{{ '<CHATBOT>' }}{% endif %}`;

export const CHAT_TEMPLATES: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  gemma: new Map([['default', gemma]]),
  gemma3: new Map([['default', gemma3]]),
  mistral: new Map([['default', mistral]]),
  llama: new Map([['default', llama]]),
  qwen: new Map([['default', qwen]]),
  coder: new Map([['default', coder]]),
  phi3: new Map([['default', phi3]]),
  phi4: new Map([['default', phi4]]),
  smollm: new Map([['default', smollm]]),
  granite: new Map([['default', granite]]),
  deepseek: new Map([['default', deepseek]]),
  command: new Map([
    ['default', commandDefault],
    ['tool_use', commandTools],
  ]),
};
