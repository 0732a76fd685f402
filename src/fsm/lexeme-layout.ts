/**
 * Kinds of lexeme states, the format that src/fsm/lexeme*.ts share; a state is [kind, …].
 *
 * T: raw text, S: content of a JSON string.
 */

/** [term]: between code points. */
export const T_AT = 0;
/** [bytes left, term]: inside a character after which the term is settled. */
export const T_CONT = 1;
/** [term, bytes left, prefix]: inside a character, what was read of it in `prefix`. */
export const T_PART = 2;
/** [term]: before the opening quote. */
export const S_OPEN = 3;
/** [term]: between code points of the content. */
export const S_AT = 4;
/** [term]: after the closing quote. */
export const S_END = 5;
export const S_CONT = 6;
export const S_PART = 7;
/** [term]: after a backslash. */
export const S_ESC = 8;
/** [term, digits left, prefix]: inside `\u`. */
export const S_HEX = 9;
/** [digits left, term]: inside `\u` with the term settled. */
export const S_HEXU = 10;
/** [term, high surrogate]: after its escape. */
export const S_HI = 11;
/** [term, high surrogate]: and a backslash. */
export const S_HI_ESC = 12;
/** [term, high surrogate, digits left, prefix]: and `\u`. */
export const S_HI_HEX = 13;

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
