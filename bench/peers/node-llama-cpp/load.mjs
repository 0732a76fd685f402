/** Reads a JSON array of grammars from standard input; prints a JSON array: does llama.cpp load it? */
import { getLlama, LlamaGrammar } from 'node-llama-cpp';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const grammars = JSON.parse(Buffer.concat(chunks).toString('utf8'));
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, progressLogs: false, logLevel: 'disabled' });
const answers = grammars.map((grammar) => {
  try {
    new LlamaGrammar(llama, { grammar, rootRuleName: 'root' });
    return true;
  } catch {
    return false;
  }
});
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
