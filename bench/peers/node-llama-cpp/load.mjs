/**
 * llama.cpp's own reading of grammars. Reads a JSON array of {grammar, texts} from standard input; prints a JSON array with, for each,
 * null where it does not load, else for each text whether it matches as a whole.
 */
import { getLlama, LlamaGrammar } from 'node-llama-cpp';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const cases = JSON.parse(Buffer.concat(chunks).toString('utf8'));
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, progressLogs: false, logLevel: 'disabled' });
const answers = cases.map(({ grammar, texts }) => {
  let loaded;
  try {
    loaded = new LlamaGrammar(llama, { grammar, rootRuleName: 'root' });
  } catch {
    return null;
  }
  // Not in the documented interface: node-llama-cpp uses it for its own tests.
  return texts.map((text) => loaded._testText(text));
});
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
