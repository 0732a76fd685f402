/**
 * Schema documents, their resources and references.
 *
 * A document is split into resources by $id; a location is a schema object with its resource and pointer. Local references
 * (`#/…`) are followed by walking the pointer; an index of ids and anchors is built only when a reference needs one, since most schemas
 * never do. Nothing is ever fetched: a URI names a resource of the documents at hand, one registered by the caller, or a metaschema.
 *
 * $dynamicRef and $recursiveRef depend on the dynamic scope: the resources entered on the way, outermost first. Only the first
 * entry of a resource can matter, so a scope is a list without repetitions, interned; schemas without such references
 * keep scope 0 throughout.
 *
 * Sources: JSON Schema 2020-12 core sections 8 and 9, and the corresponding parts of drafts 4 to 2019-09.
 */
import { UnsupportedSchemaError } from '../../base/errors.js';
import { METASCHEMAS } from './metaschemas.js';
import type { Draft, JsonObject, JsonValue, Settings } from './options.js';
import { decodeFragment, resolveUri } from './uri.js';

export interface Anchor {
  readonly schema: JsonObject | boolean;
  readonly pointer: string;
  readonly dynamic: boolean;
}

export interface Resource {
  readonly id: number;
  /** Absolute where the document says so; without fragment. */
  readonly uri: string;
  readonly root: JsonObject | boolean;
  readonly pointer: string;
  readonly draft: Draft;
  /** Whether the vocabulary of assertions is in force. */
  readonly validation: boolean;
  /** By name; undefined until the document is indexed. */
  anchors: Map<string, Anchor> | undefined;
  indexed: boolean;
}

/** A schema object in its place. */
export interface Location {
  readonly schema: JsonObject | boolean;
  readonly resource: Resource;
  readonly pointer: string;
  /** Interned dynamic scope. */
  readonly scope: number;
}

/** Thrown to start again with scopes tracked; never leaves this folder. */
export class NeedsScopes {
  readonly tag = 'scopes';
}

const DRAFTS: Readonly<Record<string, Draft>> = {
  'http://json-schema.org/draft-04/schema': '4',
  'http://json-schema.org/draft-04/hyper-schema': '4',
  'http://json-schema.org/draft-06/schema': '6',
  'http://json-schema.org/draft-06/hyper-schema': '6',
  'http://json-schema.org/draft-07/schema': '7',
  'http://json-schema.org/draft-07/hyper-schema': '7',
  'https://json-schema.org/draft/2019-09/schema': '2019-09',
  'https://json-schema.org/draft/2020-12/schema': '2020-12',
};

const ONE_SCHEMA = new Set([
  'additionalItems',
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]);
const SCHEMA_LIST = new Set(['allOf', 'anyOf', 'items', 'oneOf', 'prefixItems']);
const SCHEMA_MAP = new Set([
  '$defs',
  'definitions',
  'dependencies',
  'dependentSchemas',
  'patternProperties',
  'properties',
]);

export const isObject = (v: unknown): v is JsonObject => typeof v === 'object' && v !== null && !Array.isArray(v);
const isSchema = (v: unknown): v is JsonObject | boolean => typeof v === 'boolean' || isObject(v);

/** The value of an own property. */
export const own = (o: JsonObject, key: string): JsonValue | undefined => (Object.hasOwn(o, key) ? o[key] : undefined);

export const escapePointer = (key: string): string =>
  key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key;

const stripHash = (uri: string): string => (uri.endsWith('#') ? uri.slice(0, -1) : uri);

export class Loader {
  private readonly resources: Resource[] = [];
  private readonly byUri = new Map<string, Resource>();
  /** Where `id` names a schema although its draft says $id; asked last. */
  private readonly legacy = new Map<string, Anchor & { readonly resource: Resource }>();
  private readonly ofSchema = new Map<JsonObject, Resource>();
  private readonly scopes: (readonly Resource[])[] = [[]];
  private readonly scopeIds = new Map<string, number>();
  readonly root: Location;

  constructor(
    schema: JsonObject | boolean,
    private readonly settings: Settings,
    private readonly trackScopes: boolean,
    private readonly warn: (pointer: string, keyword: string, message: string) => void,
  ) {
    const resource = this.document('', schema, '', settings.draft);
    this.root = this.locate(schema, resource, '', 0);
  }

  private document(uri: string, root: JsonObject | boolean, pointer: string, draft: Draft): Resource {
    let at = uri;
    const info = this.draftOf(root, pointer, draft);
    if (isObject(root)) {
      const id = this.idOf(root, info.draft);
      if (id !== undefined && !id.startsWith('#')) at = resolveUri(uri, id).uri;
    }
    const resource = this.add(at, root, pointer, info);
    if (uri !== '' && !this.byUri.has(uri)) this.byUri.set(uri, resource);
    return resource;
  }

  private add(
    uri: string,
    root: JsonObject | boolean,
    pointer: string,
    info: { draft: Draft; validation: boolean },
  ): Resource {
    const resource: Resource = {
      id: this.resources.length,
      uri,
      root,
      pointer,
      draft: info.draft,
      validation: info.validation,
      anchors: undefined,
      indexed: false,
    };
    this.resources.push(resource);
    if (!this.byUri.has(uri)) this.byUri.set(uri, resource);
    if (isObject(root)) this.ofSchema.set(root, resource);
    return resource;
  }

  private draftOf(
    root: JsonObject | boolean,
    pointer: string,
    inherited: Draft,
  ): { draft: Draft; validation: boolean } {
    const uri = isObject(root) ? own(root, '$schema') : undefined;
    if (typeof uri !== 'string') return { draft: inherited, validation: true };
    const known =
      DRAFTS[stripHash(uri)] ??
      DRAFTS[stripHash(uri).replace(/^https:\/\/json-schema\.org\/draft-/, 'http://json-schema.org/draft-')];
    if (known !== undefined) return { draft: known, validation: true };
    const custom = this.registered(stripHash(uri));
    if (isObject(custom)) {
      const base = own(custom, '$schema');
      const draft = (typeof base === 'string' && DRAFTS[stripHash(base)]) || inherited;
      const vocabulary = own(custom, '$vocabulary');
      const validation = !isObject(vocabulary) || Object.keys(vocabulary).some((v) => v.endsWith('/vocab/validation'));
      return { draft, validation };
    }
    if (/json-schema\.org\/draft-0?[0-3]\//.test(uri)) {
      throw new UnsupportedSchemaError(
        `${pointer}/$schema`,
        '$schema',
        `draft ${uri} is not supported`,
        'use draft 4 or later',
      );
    }
    this.warn(`${pointer}/$schema`, '$schema', `unknown metaschema ${uri}: read as draft ${inherited}`);
    return { draft: inherited, validation: true };
  }

  private registered(uri: string): unknown {
    const { schemas } = this.settings;
    if (Object.hasOwn(schemas, uri)) return schemas[uri];
    return Object.hasOwn(schemas, `${uri}#`) ? schemas[`${uri}#`] : undefined;
  }

  private idOf(schema: JsonObject, draft: Draft): string | undefined {
    const old = draft === '4' || draft === '6' || draft === '7';
    if (old && Object.hasOwn(schema, '$ref')) return undefined;
    const id = own(schema, draft === '4' ? 'id' : '$id');
    return typeof id === 'string' && id !== '' && id !== '#' ? id : undefined;
  }

  /** The location of a schema below `from` (or at a pointer of its resource): a $id starts a resource of its own. */
  locate(schema: JsonObject | boolean, resource: Resource, pointer: string, scope: number): Location {
    let within = resource;
    if (typeof schema === 'object') within = this.enter(schema, resource, pointer);
    return { schema, resource: within, pointer, scope: this.trackScopes ? this.push(scope, within) : 0 };
  }

  private enter(schema: JsonObject, resource: Resource, pointer: string): Resource {
    if (schema === resource.root) return resource;
    const id = this.idOf(schema, resource.draft);
    if (id === undefined || id.startsWith('#')) return resource;
    const known = this.ofSchema.get(schema);
    if (known !== undefined) return known;
    return this.add(resolveUri(resource.uri, id).uri, schema, pointer, this.draftOf(schema, pointer, resource.draft));
  }

  child(at: Location, schema: JsonObject | boolean, step: string): Location {
    return this.locate(schema, at.resource, at.pointer + step, at.scope);
  }

  private push(scope: number, resource: Resource): number {
    const list = this.scopes[scope]!;
    if (list.includes(resource)) return scope;
    const key = `${scope}:${resource.id}`;
    let id = this.scopeIds.get(key);
    if (id === undefined) {
      id = this.scopes.push([...list, resource]) - 1;
      this.scopeIds.set(key, id);
    }
    return id;
  }

  // ---- references -----------------------------------------------------------------------------------------------------

  /** The target of a $ref. @throws UnsupportedSchemaError where nothing at hand has that name */
  resolve(at: Location, ref: string, keyword: string): Location {
    const found = this.find(at, ref);
    if (found === undefined) {
      throw new UnsupportedSchemaError(
        `${at.pointer}/${keyword}`,
        keyword,
        `'${ref}' refers to nothing in this schema`,
        ref.startsWith('#') ? undefined : "nothing is fetched: register the schema with option 'schemas'",
      );
    }
    return found;
  }

  private find(at: Location, ref: string): Location | undefined {
    let resource: Resource | undefined = at.resource;
    let fragment: string;
    if (ref.startsWith('#')) fragment = ref.slice(1);
    else {
      const target = resolveUri(resource.uri, ref);
      fragment = target.fragment;
      resource = this.resourceAt(target.uri);
      if (resource === undefined) return this.legacyTarget(target.uri, fragment, at.scope);
    }
    fragment = decodeFragment(fragment);
    if (fragment === '' || fragment.startsWith('/')) return this.walk(resource, fragment, at.scope);
    const anchor = this.anchorOf(resource, fragment);
    if (anchor !== undefined) return this.locate(anchor.schema, resource, anchor.pointer, at.scope);
    return this.legacyTarget(`${resource.uri}#${fragment}`, '', at.scope);
  }

  private legacyTarget(uri: string, fragment: string, scope: number): Location | undefined {
    const found = this.legacy.get(uri);
    if (found === undefined) return undefined;
    const from = this.locate(found.schema, found.resource, found.pointer, scope);
    return fragment === '' ? from : this.walkFrom(from, fragment);
  }

  private resourceAt(uri: string): Resource | undefined {
    const known = this.byUri.get(uri);
    if (known !== undefined) return known;
    for (let i = 0; i < this.resources.length; i++) this.index(this.resources[i]!);
    const embedded = this.byUri.get(uri);
    if (embedded !== undefined) return embedded;
    const given = this.registered(uri);
    if (given !== undefined) {
      if (!isSchema(given))
        throw new UnsupportedSchemaError(uri, 'schemas', 'a registered schema must be an object or a boolean');
      const doc = this.document(uri, given, `${uri}#`, this.settings.draft);
      this.index(doc);
      return this.byUri.get(uri);
    }
    const secure = uri.replace(/^https:\/\/json-schema\.org\/draft-0/, 'http://json-schema.org/draft-0');
    const text = Object.hasOwn(METASCHEMAS, secure) ? METASCHEMAS[secure] : undefined;
    if (text === undefined) return this.reachable(uri);
    return this.document(uri, JSON.parse(text) as JsonObject, `${uri}#`, '2020-12');
  }

  /** A resource embedded in a registered document that was not opened yet. */
  private reachable(uri: string): Resource | undefined {
    for (const [name, schema] of Object.entries(this.settings.schemas)) {
      const key = stripHash(name);
      if (this.byUri.has(key) || !isObject(schema)) continue;
      this.index(this.document(key, schema, `${key}#`, this.settings.draft));
      const found = this.byUri.get(uri);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private anchorOf(resource: Resource, name: string): Anchor | undefined {
    this.index(resource);
    return resource.anchors?.get(name);
  }

  /** Finds the embedded resources and the anchors below a resource. Iterative: documents may be deep. */
  private index(resource: Resource): void {
    if (resource.indexed) return;
    resource.indexed = true;
    const work: { value: JsonValue; pointer: string; within: Resource }[] = [
      { value: resource.root as JsonValue, pointer: resource.pointer, within: resource },
    ];
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
      const { value, pointer } = item;
      if (!isObject(value)) continue;
      const within = this.enter(value, item.within, pointer);
      if (within !== item.within) within.indexed = true;
      this.note(value, pointer, within);
      for (const key of Object.keys(value)) {
        const v = value[key];
        if (typeof v !== 'object' || v === null) continue;
        const at = `${pointer}/${escapePointer(key)}`;
        if (Array.isArray(v)) {
          if (!SCHEMA_LIST.has(key)) continue;
          for (const [i, x] of v.entries()) work.push({ value: x as JsonValue, pointer: `${at}/${i}`, within });
        } else if (SCHEMA_MAP.has(key)) {
          for (const [name, x] of Object.entries(v))
            work.push({ value: x, pointer: `${at}/${escapePointer(name)}`, within });
        } else if (ONE_SCHEMA.has(key)) work.push({ value: v as JsonValue, pointer: at, within });
      }
    }
  }

  private note(schema: JsonObject, pointer: string, within: Resource): void {
    const { draft } = within;
    const name = (anchor: string, dynamic: boolean): void => {
      within.anchors ??= new Map();
      if (!within.anchors.has(anchor)) within.anchors.set(anchor, { schema, pointer, dynamic });
    };
    const old = draft === '4' || draft === '6' || draft === '7';
    if (old) {
      const id = this.idOf(schema, draft);
      const hash = id?.indexOf('#') ?? -1;
      if (id !== undefined && hash >= 0) name(id.slice(hash + 1), false);
    } else {
      const dynamic = own(schema, '$dynamicAnchor');
      if (typeof dynamic === 'string' && draft === '2020-12') name(dynamic, true);
      const anchor = own(schema, '$anchor');
      if (typeof anchor === 'string') name(anchor, false);
    }
    if (draft !== '4') {
      const id = own(schema, 'id');
      if (typeof id === 'string' && id !== '') {
        const { uri, fragment } = resolveUri(within.uri, id);
        const key = fragment === '' ? uri : `${uri}#${fragment}`;
        if (!this.legacy.has(key)) this.legacy.set(key, { schema, pointer, dynamic: false, resource: within });
      }
    }
  }

  private walk(resource: Resource, pointer: string, scope: number): Location | undefined {
    const { root: schema, pointer: at } = resource;
    if (pointer === '') return this.locate(schema, resource, at, scope);
    // Resources passed on the way are not entered.
    return this.walkFrom({ schema, resource, pointer: at, scope }, pointer);
  }

  private walkFrom(from: Location, pointer: string): Location | undefined {
    if (pointer === '') return from;
    let value: JsonValue | undefined = from.schema as JsonValue;
    let { resource } = from;
    let at = from.pointer;
    for (const raw of pointer.slice(1).split('/')) {
      const key = raw.includes('~') ? raw.replaceAll('~1', '/').replaceAll('~0', '~') : raw;
      if (Array.isArray(value)) value = /^(0|[1-9]\d*)$/.test(key) ? value[Number(key)] : undefined;
      else if (isObject(value)) {
        resource = this.enter(value, resource, at);
        value = own(value, key);
      } else return undefined;
      at = `${at}/${raw}`;
    }
    return isSchema(value) ? this.locate(value, resource, at, from.scope) : undefined;
  }

  /** The target of a $dynamicRef (2020-12). */
  resolveDynamic(at: Location, ref: string): Location {
    const target = this.resolve(at, ref, '$dynamicRef');
    const fragment = decodeFragment(resolveUri(at.resource.uri, ref).fragment);
    if (fragment === '' || fragment.startsWith('/')) return target;
    if (this.anchorOf(target.resource, fragment)?.dynamic !== true) return target;
    if (!this.trackScopes) throw new NeedsScopes();
    for (const r of this.scopes[at.scope]!) {
      const anchor = this.anchorOf(r, fragment);
      if (anchor?.dynamic === true) return this.locate(anchor.schema, r, anchor.pointer, at.scope);
    }
    return target;
  }

  /** The target of a $recursiveRef (2019-09). */
  resolveRecursive(at: Location, ref: string): Location {
    const target = this.resolve(at, ref, '$recursiveRef');
    const marks = (r: Resource): boolean => isObject(r.root) && own(r.root, '$recursiveAnchor') === true;
    if (!marks(target.resource)) return target;
    if (!this.trackScopes) throw new NeedsScopes();
    for (const r of this.scopes[at.scope]!) {
      if (marks(r)) return this.locate(r.root, r, r.pointer, at.scope);
    }
    return target;
  }
}
