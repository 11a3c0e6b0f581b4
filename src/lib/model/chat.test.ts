import { describe, expect, it } from 'vitest';
import { applyChat, chatTemplateOf, ChatTemplate, type Message } from './chat.ts';
import { ModelError } from './error.ts';
import { HF_RANDOM, randomLlama } from './random-llama.ts';
import { Tokenizer } from './tokenizer.ts';

const messages: Message[] = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hi there' }];
/** In the manner of ChatML, with the indentation and the trimming that files have. */
const chatml = `{%- for message in messages %}
    {{- '<|bos|>' + message.role + '\\n' }}
    {{- message.content | trim + '<|end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|bos|>assistant\\n' }}
{%- endif %}`;

describe('a chat template', () => {
	it('writes a conversation, and opens the answer when asked to', () => {
		const template = new ChatTemplate(chatml);
		const text = '<|bos|>system\nBe brief.<|end|>\n<|bos|>user\nHi there<|end|>\n';
		expect(template.apply(messages)).toBe(text);
		expect(template.apply(messages, { addGenerationPrompt: true })).toBe(`${text}<|bos|>assistant\n`);
	});

	it('has its special tokens read as such', async () => {
		const source = randomLlama({ architectures: ['LlamaForCausalLM'], vocab_size: 258, hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 16 }, HF_RANDOM);
		const tokenizer = new Tokenizer((await source.json('tokenizer.json')) as object, {});
		const ids = tokenizer.encode(new ChatTemplate(chatml).apply(messages, { addGenerationPrompt: true }), { bare: true });
		expect(Array.from(ids).filter((id) => tokenizer.isSpecial(id)).map((id) => tokenizer.tokenOf(id))).toEqual(['<|bos|>', '<|end|>', '<|bos|>', '<|end|>', '<|bos|>']);
		expect(tokenizer.decode(ids)).toBe('system\nBe brief.\nuser\nHi there\nassistant\n');
	});

	it('is found where files keep it, with the names of tokens', () => {
		const template = "{{ bos_token }}{{ messages[0]['content'] }}{{ eos_token }}";
		const config = { bos_token: '<s>', eos_token: { content: '</s>', lstrip: false }, unk_token: null };
		expect(chatTemplateOf({ ...config, chat_template: template })!.apply(messages)).toBe('<s>Be brief.</s>');
		expect(chatTemplateOf({ ...config, chat_template: [{ name: 'tool_use', template: 'x' }, { name: 'default', template }] })!.apply(messages)).toBe('<s>Be brief.</s>');
		expect(chatTemplateOf({ ...config, chat_template: 'old' }, template)!.apply(messages)).toBe('<s>Be brief.</s>');
		for (const none of [{}, { chat_template: 7 }, { chat_template: [null, { name: 'x' }] }]) expect(chatTemplateOf(none)).toBeNull();
	});

	it('sees no clock', () => {
		const dated = "{% if strftime_now is defined %}{{ strftime_now('%d') }}{% else %}26 Jul 2024{% endif %}";
		expect(new ChatTemplate(dated).apply(messages)).toBe('26 Jul 2024');
		expect(new ChatTemplate('{% for i in range(1, 7, 2) %}{{ i }}{% endfor %}{% for i in range(2) %}{{ i }}{% endfor %}').apply([])).toBe('13501');
	});

	it.each([
		['{{ raise_exception("Roles must alternate!") }}', 'The chat template of this model refuses these messages: Roles must alternate!'],
		['{% for m in messages %}', 'The chat template of this model cannot be used'],
		['{{ messages | nonsense }}', 'cannot be used'],
		['{% for i in range(1000000000) %}x{% endfor %}', 'it counts out a range of 1000000000'],
		['{% for i in range(0, 5, 0) %}x{% endfor %}', 'it counts out a range of Infinity'],
		['{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}', 'cannot be used']
	])('explains %s', (text, message) => {
		expect(() => new ChatTemplate(text).apply(messages)).toThrow(ModelError);
		expect(() => new ChatTemplate(text).apply(messages)).toThrow(message);
	});

	it('is missed in words', () => {
		expect(() => applyChat(null, messages)).toThrow('This model has no chat template: it continues texts');
		expect(applyChat(new ChatTemplate('{{ messages | length }}'), messages)).toBe('2');
	});
});
