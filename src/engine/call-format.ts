/** Tools and their calls as prompts and outputs have them. */

/** A tool as it is shown. */
export interface PlainTool {
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema. */
  readonly parameters: unknown;
}

/** How calls stand behind text: the form that many open models were trained on (Hermes, Qwen). */
export const CALL_MARK = '<tool_call>';
export const CALL_BEGIN = `${CALL_MARK}\n`;
export const CALL_END = '\n</tool_call>';
