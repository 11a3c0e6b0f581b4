/**
 * All methods, found by themselves: one folder a family, one file a method, its default export a
 * `defineMethod`. Nothing has to be listed anywhere.
 */
import type { Method } from './define.ts';

const modules = import.meta.glob<Record<string, unknown>>(['./*/*.ts', '!./*/*.test.ts', '!./testing/**'], { eager: true });

/** Every method by its id, families and files in alphabetical order. */
export const methods: ReadonlyMap<string, Method> = collect(modules);

/** Modules by path -> methods by id. Files without a method as default export are left out. Throws on a double id. */
export function collect(found: Record<string, Record<string, unknown>>): Map<string, Method> {
	const byId = new Map<string, Method>();
	const homes = new Map<string, string>();
	for (const path of Object.keys(found).sort()) {
		const method = found[path].default;
		if (!isMethod(method)) continue;
		if (byId.has(method.id)) {
			throw new Error(`two methods have the id "${method.id}": ${homes.get(method.id)} and ${path}`);
		}
		byId.set(method.id, method);
		homes.set(method.id, path);
	}
	return byId;
}

function isMethod(value: unknown): value is Method {
	if (typeof value !== 'object' || value === null) return false;
	const { id, params, start } = value as Partial<Method>;
	return typeof id === 'string' && typeof params === 'object' && typeof start === 'function';
}
