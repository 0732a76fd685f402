/** Automata and masks: what later folders use. */
export { bind, type CacheLimits, CompiledGrammar, compileGrammar } from './compiled.js';
export { Matcher, type MatcherOptions } from './matcher.js';
export { Vocabulary, type VocabularyOptions } from './vocabulary.js';
