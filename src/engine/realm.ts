/**
 * Test runners (Jest, the vm pools of vitest) run modules in a `node:vm` context, which has classes of its own for arrays. Native addons make their arrays outside of it,
 * and what checks them with `instanceof` inside (ONNX Runtime's tensors) refuses them.
 */
import { Buffer } from 'node:buffer';

/** Whether typed arrays of this module are those that Node and its addons make. */
export const hasNodeArrays = (): boolean => Buffer.alloc(0) instanceof Object.getPrototypeOf(Float32Array);
