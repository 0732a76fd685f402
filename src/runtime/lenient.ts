/**
 * Filters of a template on values that they expect nothing of. Templates are written for Python's Jinja, where an undefined value is empty to
 * most filters and `string` takes anything; @huggingface/jinja raises an error there, in the midst of a conversation (Qwen 3 Coder's template at a
 * null among the arguments of a call, Hermes's at a parameter without a description). So those filters get a condition in the parsed template:
 * what they cannot take becomes what Python has in its place, but for null, which is empty to `trim`, not 'None'. (Gemma 4's template writes the types of
 * parameters through `upper`: those with none, or with a list of them.)
 */

interface Node {
  type: string;
  [field: string]: unknown;
}

/** Changes a parsed template, in place. */
export function makeLenient(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if (node instanceof Map) {
    for (const [key, value] of node) {
      makeLenient(key);
      makeLenient(value);
    }
    return;
  }
  for (const part of Object.values(node)) makeLenient(part);
  if ('type' in node && node.type === 'FilterExpression') guard(node as Node);
}

const LISTS: ReadonlySet<string> = new Set(['selectattr', 'rejectattr', 'select', 'reject', 'map', 'list', 'join']);
const NAMES: ReadonlySet<string> = new Set(['Identifier', 'MemberExpression']);
const literal = (type: string, value: unknown): Node => ({ type, value });

function guard(node: Node): void {
  const filter = node.filter as Node;
  const name = (filter.type === 'CallExpression' ? (filter.callee as Node) : filter).value;
  const { operand } = node;
  // What filters and calls return has a value, and would be computed several times.
  const isPlain = NAMES.has((operand as Node).type);
  if (typeof name !== 'string' || !isPlain) return;
  const is = (test: string): Node => ({
    type: 'TestExpression',
    operand,
    negate: false,
    test: literal('Identifier', test),
  });
  if (name === 'string') {
    unless(node, is('none'), literal('StringLiteral', 'None'));
    unless(node, is('true'), literal('StringLiteral', 'True'));
    unless(node, is('false'), literal('StringLiteral', 'False'));
    unless(node, is('mapping'), { type: 'FilterExpression', operand, filter: literal('Identifier', 'tojson') });
  } else if (name === 'trim') {
    unless(node, is('none'), literal('StringLiteral', ''));
    unless(node, is('undefined'), literal('StringLiteral', ''));
  } else if (name === 'upper' || name === 'lower') {
    const was: Node = { ...node };
    unless(node, is('iterable'), listText(node));
    unless(node, is('undefined'), literal('StringLiteral', ''));
    unless(node, is('string'), was);
  } else if (name === 'length') unless(node, is('undefined'), literal('IntegerLiteral', 0));
  else if (LISTS.has(name)) {
    const none = literal(name === 'join' ? 'StringLiteral' : 'ArrayLiteral', name === 'join' ? '' : []);
    unless(node, is('none'), none);
    unless(node, is('undefined'), none);
  }
}

/** A filter of the text that Python has for a list of texts. */
function listText(node: Node): Node {
  const plus = (left: Node, right: Node): Node => ({
    type: 'BinaryExpression',
    operator: { type: 'AdditiveBinaryOperator', value: '+' },
    left,
    right,
  });
  const join: Node = {
    type: 'CallExpression',
    callee: literal('Identifier', 'join'),
    args: [literal('StringLiteral', "', '")],
  };
  const items: Node = { type: 'FilterExpression', operand: node.operand, filter: join };
  return { ...node, operand: plus(plus(literal('StringLiteral', "['"), items), literal('StringLiteral', "']")) };
}

/** The node becomes: what it was, unless the condition holds. */
function unless(node: Node, condition: Node, instead: Node): void {
  const was: Node = { ...node };
  for (const key of Object.keys(node)) if (key !== 'type') delete node[key];
  Object.assign(node, { type: 'Ternary', condition, trueExpr: instead, falseExpr: was });
}
