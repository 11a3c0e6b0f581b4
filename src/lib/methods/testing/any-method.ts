/** Methods with parameters drawn from all that they allow, for property tests. */
import fc from 'fast-check';
import type { ParamSpec } from '../define.ts';
import { methods } from '../registry.ts';

/** Greatest whole number that is drawn, so that windows and blocks fit small caches. */
const MOST = 48;

const scorers = [...methods.values()].filter(({ scorer }) => scorer).map(({ id }) => id);

const budgets = fc.oneof(
	fc.record({ tokens: fc.integer({ min: 1, max: MOST }) }), fc.record({ fraction: fc.double({ min: 0.01, max: 1, noNaN: true }) }),
	fc.record({ bytes: fc.integer({ min: 1200, max: 8000 }) })
);

function anyValue(spec: ParamSpec): fc.Arbitrary<unknown> {
	switch (spec.kind) {
		case 'int': {
			const step = spec.odd ? 2 : 1;
			const least = spec.odd && spec.min % 2 === 0 ? spec.min + 1 : spec.min;
			return fc.integer({ min: 0, max: Math.max(0, Math.floor((Math.min(spec.max, MOST) - least) / step)) }).map((i) => least + i * step);
		}
		case 'number':
			return fc.oneof(fc.constantFrom(spec.min, spec.max, spec.default), fc.double({ min: spec.min, max: spec.max, noNaN: true }));
		case 'choice':
			return fc.constantFrom(...spec.options);
		case 'boolean':
			return fc.boolean();
		case 'budget':
			return budgets;
		case 'scorer':
			return fc.constantFrom(...scorers).chain((id) => anySpec(id, ['budget', 'scorer']));
	}
}

/** A spec of one method; parameters of the kinds in `without` are left out, others may be, but never a budget. */
function anySpec(id: string, without: readonly string[] = []): fc.Arbitrary<{ method: string; params: object }> {
	const specs = Object.entries(methods.get(id)!.params).filter(([, { kind }]) => !without.includes(kind));
	const requiredKeys = specs.filter(([, { kind }]) => kind === 'budget').map(([name]) => name);
	return fc.record(Object.fromEntries(specs.map(([name, spec]) => [name, anyValue(spec)])), { requiredKeys }).map((params) => ({ method: id, params }));
}

/** Any method, a wrapper with any scorer. A document may still be refused, e.g. for a budget that holds no token. */
export const anyMethod = fc.constantFrom(...methods.keys()).chain((id) => anySpec(id));
