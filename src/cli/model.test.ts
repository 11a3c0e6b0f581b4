import { describe, expect, it } from 'vitest';
import { modelIdOf } from './model.ts';

describe('modelIdOf', () => {
	it.each([
		['./models/tiny', 'path:./models/tiny'], ['/models/tiny/', 'path:/models/tiny/'], ['..\\tiny', 'path:..\\tiny'],
		['tiny.gguf', 'path:tiny.gguf'], ['https://example.org/m/Tiny.GGUF?download=true', 'path:https://example.org/m/Tiny.GGUF?download=true']
	])('takes %s for a place', (named, id) => {
		expect(modelIdOf(named)).toBe(id);
	});

	it.each(['nano', 'hf:org/name', 'hf:org/name#file.gguf', 'file:tiny.gguf', 'path:tiny', 'https://example.org/m'])('leaves %s as it is', (id) => {
		expect(modelIdOf(id)).toBe(id);
	});
});
