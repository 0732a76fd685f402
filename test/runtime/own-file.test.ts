/** The files beside the code, and that bundlers take none of their places for an import. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { embeddedFolder } from '../../src/runtime/load.js';
import { ownFile } from '../../src/runtime/own-file.js';

it('a file is found from the module that asks', () => {
  expect(ownFile('./b.js', 'file:///a%20x/c/d.js')).toMatch(/[\\/]a x[\\/]c[\\/]b\.js$/);
  expect(ownFile('../../models', 'file:///a/c/d.js')).toMatch(/models$/);
});
it('modules in no file have none', async () => {
  for (const from of [undefined, 'http://localhost/a.js', 'blob:x', 'data:text/javascript,1'])
    expect(ownFile('./b.js', from)).toBeUndefined();
});
it("the embedded model's error says so where there is no place to look", async () => {
  await expect(embeddedFolder('embedded', null)).rejects.toMatchObject({
    code: 'MODEL',
    expected: expect.stringContaining("leave 'tokenloom' external"),
  });
});
it('what programs import holds no URL that webpack or Vite would resolve', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !/^(?:cli|reliability)[\\/]/.test(file),
  );
  expect(files.length).toBeGreaterThan(100);
  const found = files.filter((file) =>
    /new\s+URL\s*\([^)]*import\.meta/.test(code(readFileSync(`src/${file}`, 'utf8'))),
  );
  expect(found).toEqual([]);
});

const code = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '');
