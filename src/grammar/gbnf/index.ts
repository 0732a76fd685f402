/** GBNF: reading (parser.ts), meaning (lower.ts). */
export type { GbnfFile, GbnfNode, GbnfRule } from './ast.js';
export { fileToGrammar, gbnfToGrammar, type LowerOptions } from './lower.js';
export { type GbnfOptions, parseGbnf, readGbnf } from './parser.js';
