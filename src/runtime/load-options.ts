/** Checks what a caller asks of a model before anything is looked for or fetched. */
import { OptionError } from '../base/errors.js';
import { DEVICES } from './device-probe.js';
import type { Dtype, LoadOptions } from './types.js';

const FORMS: readonly unknown[] = ['auto', 'paged', 'contiguous'];
const DTYPES: readonly unknown[] = [
  'auto',
  'fp32',
  'fp16',
  'int8',
  'uint8',
  'quantized',
  'q4',
  'q4f16',
  'bnb4',
] satisfies readonly Dtype[];
const POOL_TYPES: readonly unknown[] = ['f32', 'int8'];

/** @throws OptionError for a value outside what an option takes */
export function checkLoadOptions({ device, dtype: files, kv = {} }: LoadOptions): void {
  const check = (name: string, value: unknown, fits: boolean, expected: string): void => {
    if (value !== undefined && !fits) throw new OptionError(name, expected, String(value));
  };
  const devices: readonly unknown[] = ['auto', ...DEVICES];
  check('device', device, devices.includes(device), devices.join(', '));
  check('dtype', files, DTYPES.includes(files), DTYPES.join(', '));
  const { blocks, bytes, form, dtype, swap = {} } = kv;
  check('kv.blocks', blocks, Number.isInteger(blocks) && (blocks as number) >= 1, 'an integer of at least 1');
  check('kv.bytes', bytes, typeof bytes === 'number' && bytes > 0, 'more than 0 bytes');
  check('kv.form', form, FORMS.includes(form), FORMS.join(', '));
  check('kv.dtype', dtype, POOL_TYPES.includes(dtype), POOL_TYPES.join(', '));
  for (const [name, size] of Object.entries(swap)) {
    check(`kv.swap.${name}`, size, typeof size === 'number' && size >= 0, '0 bytes or more');
  }
}
