/** How calls stand behind text: the form that many open models were trained on (Hermes, Qwen). */
export const CALL_MARK = '<tool_call>';
export const CALL_BEGIN = `${CALL_MARK}\n`;
export const CALL_END = '\n</tool_call>';
