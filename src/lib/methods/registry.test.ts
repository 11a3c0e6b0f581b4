import { describe, expect, it } from 'vitest';
import { defineMethod, type Method } from './define.ts';
import { collect, methods } from './registry.ts';

describe('registry', () => {
	it('has the methods of the first release', () => {
		expect([...methods.keys()]).toEqual(
			expect.arrayContaining([
				'streaming-llm', 'h2o', 'snapkv', 'adakv', 'rtn', 'kivi', 'svd-truncation', 'merging-press', 'quest', 'momentkv', 'knorm'
			])
		);
	});

	it('keeps a method in the folder of its family', () => {
		const found = import.meta.glob<{ default?: Method }>(['./*/*.ts', '!./*/*.test.ts', '!./testing/**'], { eager: true });
		for (const [path, { default: method }] of Object.entries(found)) {
			if (method) expect(path).toBe(`./${method.family}/${method.id}.ts`);
		}
	});

	it('finds a method that is put in a folder, and nothing else', () => {
		const fixture = import.meta.glob<Record<string, unknown>>('./testing/fixture/*/*.ts', { eager: true });
		const found = collect(fixture);
		expect([...found.keys()]).toEqual(['every-other']);
		expect(found.get('every-other')!.title).toBe('Every other token');
	});

	it('refuses two methods of one id and says where they are', () => {
		const method = defineMethod(methods.get('knorm')!);
		expect(() => collect({ './a/x.ts': { default: method }, './b/y.ts': { default: method } })).toThrow(
			'two methods have the id "knorm": ./a/x.ts and ./b/y.ts'
		);
	});
});
