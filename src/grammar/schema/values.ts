/** Normal forms of constant values: enum and const. */

import { fromNumber } from './decimal.js';
import { FALSE, type Formula, type Formulas } from './formula.js';
import { FALSE_BIT, NO_ARRAYS, NO_OBJECTS, type Normal, NULL_BIT, TRUE_BIT } from './normal.js';
import { type Box, NO_NUMBERS, point } from './numbers.js';
import type { JsonObject, JsonValue } from './options.js';
import { ANY_ARRAY, ANY_OBJECT, type ArrayShape, keyMap, type ObjectShape } from './shapes.js';
import { stringList } from './strings.js';

/** The normal form that admits exactly these values. Equality is of JSON values: 1 is 1.0, the order of keys is nothing. */
export function constantNormal(values: readonly JsonValue[], formulas: Formulas): Normal {
  let basic = 0;
  const numbers: Box[] = [];
  const strings: string[] = [];
  const arrays: ArrayShape[] = [];
  const objects: ObjectShape[] = [];
  for (const v of values) {
    if (v === null) basic |= NULL_BIT;
    else if (v === true) basic |= TRUE_BIT;
    else if (v === false) basic |= FALSE_BIT;
    else if (typeof v === 'string') strings.push(v);
    else if (typeof v === 'number') {
      if (Number.isFinite(v)) numbers.push(point(fromNumber(v)));
    } else if (Array.isArray(v)) {
      const items = v.map((x: JsonValue) => formulas.const(x));
      arrays.push({ ...ANY_ARRAY, prefix: items, rest: FALSE, min: items.length, max: items.length });
    } else {
      const o = v as JsonObject;
      const props = new Map<string, Formula>();
      for (const key of Object.keys(o)) props.set(key, formulas.const(o[key]!));
      objects.push({ ...ANY_OBJECT, maps: [keyMap(props, [], FALSE)], required: [...props.keys()] });
    }
  }
  return {
    basic,
    numbers: numbers.length === 0 ? NO_NUMBERS : numbers,
    strings: stringList(strings.length > 1 ? [...new Set(strings)] : strings),
    arrays: arrays.length === 0 ? NO_ARRAYS : arrays,
    objects: objects.length === 0 ? NO_OBJECTS : objects,
  };
}
