import { describe, expect, it } from 'vitest';
import { ChatTemplate, loadTokenizer } from '$lib/model/index.ts';
import { HF_RANDOM, randomLlama } from '$lib/model/random-llama.ts';
import { placeOfModel } from './lab.ts';
import { chatText, readForced, readPrompt } from './prompt.ts';
import { TINY } from './testing.ts';
import { TASK_NAMES } from './tasks/index.ts';
import { TokenTexts } from './token-texts.ts';

const bytes = new TokenTexts(await loadTokenizer(randomLlama(TINY, HF_RANDOM)));
const read = (spec: Parameters<typeof readPrompt>[0]) => readPrompt(spec, bytes, 320).prompt;

describe('prompts', () => {
	it('begin with what the tokenizer puts first, and their texts join to the prompt', () => {
		const prompt = read({ text: 'Añ 🙂!' });
		expect(prompt.ids[0]).toBe(0);
		expect(prompt.texts[0]).toBe('<|bos|>');
		expect(prompt.texts).toHaveLength(prompt.ids.length);
		// A character of several bytes stands with its last token.
		expect(prompt.texts.slice(1).join('')).toBe('Añ 🙂!');
		expect(prompt.texts.filter((text) => text === '')).toHaveLength(1 + 3);
		expect(prompt.needles).toEqual([]);
	});

	it('may be tokens, of which those without a text show their number', () => {
		const prompt = read({ tokens: [36, 319, 36] });
		expect(prompt.ids).toEqual([36, 319, 36]);
		expect(prompt.texts[1]).toBe('<319>');
	});

	it('may be a conversation, whose last turn is left open', () => {
		const chat = [{ role: 'user' as const, content: 'Hello.' }, { role: 'assistant' as const, content: 'Hi.' }, { role: 'user' as const, content: 'Who?' }];
		expect(chatText(chat)).toBe('User: Hello.\nBot: Hi.\nUser: Who?\nBot:');
		expect(read({ chat }).texts.slice(1).join('')).toBe(chatText(chat));
	});

	it('are written by the chat template of a model that has one', () => {
		const chat = [{ role: 'user' as const, content: 'Hi' }];
		const template = (text: string) => new ChatTemplate(text);
		const { prompt } = readPrompt({ chat }, bytes, 320, template("<|bos|>{{ messages[0].content }}<|end|>{% if add_generation_prompt %}A:{% endif %}"));
		expect(prompt.texts).toEqual(['<|bos|>', 'H', 'i', '<|end|>', 'A', ':']);
		expect(() => readPrompt({ chat }, bytes, 320, template("{{ raise_exception('No.') }}"))).toThrow('prompt.chat: The chat template of this model refuses these messages: No.');
	});

	it('may be any task; the tokens of a needle spell the answer', () => {
		for (const task of TASK_NAMES) {
			for (const seed of [1, 2, 3]) {
				const { prompt, task: made } = readPrompt({ task, seed }, bytes, 320);
				expect(prompt.texts.slice(1).join('')).toBe(made!.prompt);
				expect(prompt.needles).toHaveLength(made!.needles.length);
				made!.needles.forEach(({ text }, i) => {
					const [from, to] = prompt.needles[i];
					expect(prompt.texts.slice(from, to).join('')).toBe(text);
				});
				if (task === 'needle') expect(prompt.texts.slice(...prompt.needles[0]).join('')).toBe(prompt.answer!.replace(/\.$/, ''));
			}
		}
	});

	it('are refused where they make no sense', () => {
		expect(() => read({ task: 'needle', seed: 1, depth: 3 })).toThrow('prompt: "depth" must be a number from 0 to 1, not 3.');
		expect(() => read({ tokens: [5, 320] })).toThrow('prompt.tokens[1]: expected a token of the model, 0 to 319, found 320');
	});

	it('are followed by forced tokens without a first token of their own', () => {
		expect(readForced('ab', bytes, 320)).toEqual([99, 100]);
		expect(readForced({ tokens: [4, 2] }, bytes, 320)).toEqual([4, 2]);
	});
});

describe('models', () => {
	it('have places', () => {
		expect(placeOfModel('nano', 'https://x.org/winnow/')).toBe('https://x.org/winnow/models/nano');
		expect(placeOfModel('path:/a/b')).toBe('/a/b');
		expect(placeOfModel('path:/a/b/model.safetensors')).toBe('/a/b');
		expect(placeOfModel('hf:org/name@v1')).toMatch(/\/org\/name\/resolve\/v1$/);
		for (const id of ['', '../secret', 'hf:name', 'http://x.org/m']) expect(() => placeOfModel(id)).toThrow(/is no model: expected/);
	});
});
