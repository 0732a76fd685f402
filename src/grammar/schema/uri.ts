/** URI references (RFC 3986): splitting and resolving. The platform's URL class refuses relative bases and many urn: forms. */

interface Parts {
  scheme: string | undefined;
  authority: string | undefined;
  path: string;
  query: string | undefined;
  fragment: string | undefined;
}

// RFC 3986, appendix B.
const REFERENCE = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

function split(uri: string): Parts {
  const m = REFERENCE.exec(uri);
  return { scheme: m?.[1], authority: m?.[2], path: m?.[3] ?? '', query: m?.[4], fragment: m?.[5] };
}

function removeDots(path: string): string {
  const out: string[] = [];
  const parts = path.split('/');
  parts.forEach((p, i) => {
    const last = i === parts.length - 1;
    if (p === '..') {
      if (out.length > 1 || (out.length === 1 && out[0] !== '')) out.pop();
      if (last) out.push('');
    } else if (p === '.') {
      if (last) out.push('');
    } else out.push(p);
  });
  return out.join('/');
}

/** Resolves a reference against a base URI and returns the URI without fragment, and the fragment ('' where none). */
export function resolveUri(base: string, reference: string): { readonly uri: string; readonly fragment: string } {
  const r = split(reference);
  const fragment = r.fragment ?? '';
  if (r.scheme === undefined && r.authority === undefined && r.path === '' && r.query === undefined) {
    const hash = base.indexOf('#');
    return { uri: hash < 0 ? base : base.slice(0, hash), fragment };
  }
  const b = split(base);
  const out: Parts = { ...r };
  if (r.scheme === undefined) {
    out.scheme = b.scheme;
    if (r.authority === undefined) {
      out.authority = b.authority;
      if (r.path === '') {
        out.path = b.path;
      } else if (!r.path.startsWith('/')) {
        const dir = b.path.lastIndexOf('/');
        out.path = (b.authority !== undefined && b.path === '' ? '/' : b.path.slice(0, dir + 1)) + r.path;
      }
    }
  }
  if (out.scheme !== 'urn') out.path = removeDots(out.path);
  const uri =
    (out.scheme === undefined ? '' : `${out.scheme}:`) +
    (out.authority === undefined ? '' : `//${out.authority}`) +
    out.path +
    (out.query === undefined ? '' : `?${out.query}`);
  return { uri, fragment };
}

/** Percent-decoding that leaves malformed escapes alone. */
export function decodeFragment(fragment: string): string {
  if (!fragment.includes('%')) return fragment;
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
