import { describe, expect, it } from 'vitest';
import { chooseFiles, modelOfFiles } from './files.ts';

const found = (...paths: string[]) => paths.map((path) => ({ path, size: 10 }));
const chosen = (paths: string[], file?: string) => chooseFiles(found(...paths), 'a/b', file ?? null).map(({ path }) => path);

describe('the files of a model', () => {
	it('are those that are read, small ones first', () => {
		expect(chosen(['README.md', 'model.safetensors', 'onnx/model.onnx', 'tokenizer.json', 'pytorch_model.bin', 'config.json', 'vocab.json'])).toEqual(['config.json', 'tokenizer.json', 'model.safetensors']);
		expect(chosen(['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model-00002-of-00002.safetensors', 'model-00001-of-00002.safetensors', 'model.safetensors.index.json']))
			.toEqual(['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors.index.json', 'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']);
		expect(chosen(['m-Q8_0.gguf', 'README.md'])).toEqual(['m-Q8_0.gguf']);
		expect(chosen(['m-Q8_0.gguf', 'm-Q4_0.gguf', 'config.json'], 'm-Q4_0.gguf')).toEqual(['config.json', 'm-Q4_0.gguf']);
	});

	it('that are missing or cannot be read are named', () => {
		expect(() => chosen(['config.json', 'model.safetensors'])).toThrow('a/b has no tokenizer.json');
		expect(() => chosen(['config.json', 'tokenizer.json', 'pytorch_model.bin'])).toThrow(/only in a form that cannot be read here \(pytorch_model\.bin\)/);
		expect(() => chosen(['README.md'])).toThrow(/has no weights/);
		expect(() => chosen(['m-Q8_0.gguf', 'm-Q4_0.gguf'])).toThrow(/holds 2 models.*m-Q8_0\.gguf, m-Q4_0\.gguf/);
		expect(() => chosen(['m.gguf'], 'n.gguf')).toThrow('a/b has no file n.gguf');
	});
});

describe('dropped files', () => {
	const file = (path: string) => Object.defineProperty(new File(['x'], path.split('/').pop()!), 'webkitRelativePath', { value: path.includes('/') ? path : '' });

	it('make a model named after their folder, or after the one file', () => {
		const folder = modelOfFiles([file('My models/smol/notes.txt'), file('My models/smol/config.json'), file('My models/smol/tokenizer.json'), file('My models/smol/model.safetensors'), file('My models/other/config.json')]);
		expect(folder.name).toBe('smol');
		expect([...folder.files.keys()]).toEqual(['config.json', 'tokenizer.json', 'model.safetensors']);
		expect(modelOfFiles([file('Tiny Llama (Q4).gguf')]).name).toBe('Tiny-Llama-Q4-');
		expect(modelOfFiles([file('config.json'), file('tokenizer.json'), file('model.safetensors')]).name).toBe('model');
	});

	it('without weights are refused with what to do', () => {
		expect(() => modelOfFiles([file('photo.jpg')])).toThrow(/no weights among these files\. Drop a folder/);
		expect(() => modelOfFiles([file('x/model.safetensors')])).toThrow('The folder x has no config.json');
	});
});
