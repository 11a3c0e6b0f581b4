import { expect, it } from 'vitest';
import { hubIdFrom, modelName, readModelId } from './model-id.ts';

it('reads every form of a model id, and nothing else', () => {
	expect(readModelId('nano')).toEqual({ kind: 'site', name: 'nano' });
	expect(readModelId('hf:openai-community/gpt2')).toEqual({ kind: 'hub', repo: 'openai-community/gpt2', revision: 'main', file: null });
	expect(readModelId('hf:a/b@refs/pr/1')).toMatchObject({ revision: 'refs/pr/1', file: null });
	expect(readModelId('hf:a/b-GGUF@v1#q/b-Q8_0.gguf')).toEqual({ kind: 'hub', repo: 'a/b-GGUF', revision: 'v1', file: 'q/b-Q8_0.gguf' });
	expect(readModelId('file:my-model')).toEqual({ kind: 'dropped', name: 'my-model' });
	expect(readModelId('path:/a/b')).toEqual({ kind: 'path', place: '/a/b' });
	for (const id of ['', '../secret', 'hf:name', 'hf:a/b/c', 'http://x.org/m', 'path:', 'file:']) expect(() => readModelId(id)).toThrow(/is no model: expected/);
});

it('takes what people type or paste for a repository', () => {
	for (const text of ['HuggingFaceTB/SmolLM2-135M', ' hf:HuggingFaceTB/SmolLM2-135M ', 'https://huggingface.co/HuggingFaceTB/SmolLM2-135M/', 'https://huggingface.co/HuggingFaceTB/SmolLM2-135M/tree/main']) {
		expect(hubIdFrom(text)).toBe('hf:HuggingFaceTB/SmolLM2-135M');
	}
	expect(hubIdFrom('https://huggingface.co/a/b/blob/v2/x/b-Q8_0.gguf')).toBe('hf:a/b@v2#x/b-Q8_0.gguf');
	expect(hubIdFrom('a/b#x.gguf')).toBe('hf:a/b#x.gguf');
	for (const text of ['gpt2', '', 'a b/c', 'https://huggingface.co/']) expect(hubIdFrom(text)).toBeNull();
});

it('names a model in short', () => {
	expect(['nano', 'hf:a/b', 'hf:a/b@v1#x/b-Q8_0.gguf', 'file:mine', 'path:/a/b'].map(modelName)).toEqual(['nano', 'b', 'b-Q8_0', 'mine', 'b']);
});
