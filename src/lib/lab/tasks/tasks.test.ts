import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerIsOver, makeTask, scoreAnswer, TASK_NAMES, TASKS, type TaskSpec } from './index.ts';
import { readFacts, readQuestion } from './reader.ts';
import { split } from './split.ts';

const count = (text: string) => split(text).length;
/** A tokenizer of another kind: about four characters a token, and a token at the start. */
const coarse = (text: string) => 1 + Math.ceil(text.length / 4);
const seeds = fc.nat(1_000_000);

const anySpec: fc.Arbitrary<TaskSpec> = fc.oneof(
	fc.record({
		task: fc.constant('needle' as const), seed: seeds, length: fc.integer({ min: 64, max: 1200 }),
		depth: fc.double({ min: 0, max: 1, noNaN: true }), kind: fc.constantFrom('code', 'fact')
	}),
	fc.record({
		task: fc.constant('facts' as const), seed: seeds, length: fc.integer({ min: 300, max: 1200 }),
		count: fc.integer({ min: 1, max: 12 }), kind: fc.constantFrom('mixed', 'codes')
	}),
	fc.record({
		task: fc.constant('chat' as const), seed: seeds, filler: fc.integer({ min: 0, max: 600 }),
		topics: fc.integer({ min: 1, max: 6 }), count: fc.integer({ min: 1, max: 5 })
	}),
	fc.record({
		task: fc.constant('chain' as const), seed: seeds, filler: fc.integer({ min: 0, max: 300 }),
		steps: fc.integer({ min: 1, max: 12 }), extra: fc.integer({ min: 0, max: 6 })
	}),
	fc.record({
		task: fc.constant('copy' as const), seed: seeds, count: fc.integer({ min: 1, max: 60 }),
		kind: fc.constantFrom('strings', 'words', 'numbers', 'names')
	}),
	fc.record({ task: fc.constant('story' as const), seed: seeds, length: fc.integer({ min: 30, max: 300 }) })
);

describe('makeTask', () => {
	it('gives the same text for the same seed and another for another seed', () => {
		fc.assert(
			fc.property(anySpec, (spec) => {
				expect(makeTask(spec, count)).toEqual(makeTask(spec, count));
			})
		);
		const prompts = new Set(Array.from({ length: 300 }, (_, seed) => makeTask({ task: 'needle', seed, length: 100 }, count).prompt));
		expect(prompts.size).toBe(300);
	});

	it('marks needles where they stand', () => {
		fc.assert(
			fc.property(anySpec, (spec) => {
				const { prompt, needles } = makeTask(spec, count);
				for (const { text, start, end } of needles) expect(prompt.slice(start, end)).toBe(text);
				expect(needles.length).toBe(spec.task === 'story' ? 0 : spec.task === 'chain' ? (spec.steps as number) + 1 : 1);
			})
		);
	});

	it('hits the length that was asked for', () => {
		fc.assert(
			fc.property(anySpec, (spec) => {
				fc.pre(spec.length !== undefined);
				for (const tokens of [count, coarse]) {
					const off = spec.length! - tokens(makeTask(spec, tokens).prompt);
					expect(Math.abs(off)).toBeLessThanOrEqual(tokens === count ? 3 : 12);
				}
			})
		);
	});

	it('hits the length of a conversation to within the shortest turn', () => {
		for (let seed = 0; seed < 60; seed++) {
			const { prompt } = makeTask({ task: 'chat', seed, length: 600, topics: 3 }, count);
			expect(count(prompt)).toBeLessThanOrEqual(600);
			expect(count(prompt)).toBeGreaterThan(584);
		}
	});

	it('puts the needle at its depth', () => {
		for (let seed = 0; seed < 30; seed++) {
			for (const depth of [0, 0.25, 0.5, 0.75, 1]) {
				const { prompt, needles } = makeTask({ task: 'needle', seed, length: 700, depth }, count);
				expect(Math.abs(needles[0].start / prompt.length - depth)).toBeLessThan(0.07);
			}
		}
	});

	it('states the answer, once, and contradicts nothing', () => {
		fc.assert(
			fc.property(anySpec, (spec) => {
				fc.pre(['needle', 'facts', 'chat'].includes(spec.task));
				const { prompt, answer, question, needles } = makeTask(spec, count);
				const facts = readFacts(prompt);
				const value = facts.get(readQuestion(question!)!.key);
				expect(value).toBe(needles[0].text);
				expect(answer).toContain(` ${value}`);
				expect(prompt.endsWith(spec.task === 'chat' ? `User: ${question}\nBot:` : `Q: ${question}\nA:`)).toBe(true);
				if (spec.kind === 'codes') expect(facts.size).toBe(spec.count);
			}),
			{ numRuns: 300 }
		);
	});

	it('says all the facts of a conversation', () => {
		for (let seed = 0; seed < 40; seed++) {
			expect(readFacts(makeTask({ task: 'chat', seed, topics: 4, count: 4 }, count).prompt).size).toBe(16);
		}
	});

	it('copies what stands there', () => {
		const { prompt, answer } = makeTask({ task: 'copy', seed: 5, count: 30 }, count);
		expect(prompt).toBe(`Copy:${answer.slice(0, -1)}\nCopy:`);
		expect(answer.trim().split(' ')).toHaveLength(30);
	});

	it('takes presets for all options and says what each is about', () => {
		for (const task of TASK_NAMES) {
			expect(makeTask({ task, seed: 1 }, count).prompt).not.toBe('');
			for (const option of TASKS[task].options) expect(option.about).not.toBe('');
		}
	});

	it.each<[string, object]>([
		['There is no task "poem"; the tasks are needle, facts, chat, chain, copy, story.', { task: 'poem' }],
		['There is no task "toString"; the tasks are needle, facts, chat, chain, copy, story.', { task: 'toString' }],
		['The seed of a task must be a whole number, not 1.5.', { task: 'copy', seed: 1.5 }],
		['The task "copy" has no option "size"; it has count, kind.', { task: 'copy', size: 3 }],
		['"count" must be a whole number from 1 to 400, not 0.', { task: 'copy', count: 0 }],
		['"depth" must be a number from 0 to 1, not 2.', { task: 'needle', depth: 2 }],
		['"depth" must be a number from 0 to 1, not NaN.', { task: 'needle', depth: NaN }],
		['"kind" must be one of code, fact, not word.', { task: 'needle', kind: 'word' }],
		['Give either "length" or "filler", not both.', { task: 'needle', length: 100, filler: 20 }],
		['"ask" is 9, but there are only 8 facts.', { task: 'facts', ask: 9 }]
	])('refuses: %s', (message, spec) => {
		expect(() => makeTask({ seed: 1, ...spec } as TaskSpec, count)).toThrow(new RangeError(message));
	});

	it('says how long a text has to be at least', () => {
		const spec: TaskSpec = { task: 'facts', seed: 1, count: 20, length: 50 };
		expect(() => makeTask(spec, count)).toThrow(/^A length of 50 tokens is too short: this recall task needs at least \d+\.$/);
	});
});

describe('scoreAnswer', () => {
	it('accepts the answer with anything on later lines', () => {
		fc.assert(
			fc.property(anySpec, fc.string(), (spec, more) => {
				const task = makeTask(spec, count);
				expect(scoreAnswer(task, `${task.answer}\n${more}`).correct).toBe(true);
				if (task.answer) expect(scoreAnswer(task, `\n${task.answer}`.trim())).toEqual({ correct: true, answer: task.answer.trim() });
			})
		);
	});

	it('refuses other values, and parts and extensions of the value', () => {
		const task = makeTask({ task: 'needle', seed: 3, length: 80 }, count);
		const value = task.needles[0].text;
		expect(scoreAnswer(task, ` It is ${value}.`).correct).toBe(true);
		expect(scoreAnswer(task, ` ${value.slice(0, 3)}.`).correct).toBe(false);
		expect(scoreAnswer(task, ` ${value}7.`).correct).toBe(false);
		expect(scoreAnswer(task, ' I do not know.')).toEqual({ correct: false, answer: 'I do not know.' });
		expect(scoreAnswer(task, ` no\nQ: x\nA: ${value}`).correct).toBe(false);
		expect(scoreAnswer(task, '').correct).toBe(false);
	});

	it('judges a chain by its result and a copy by the whole list', () => {
		const chain = makeTask({ task: 'chain', seed: 1, steps: 2 }, count);
		const result = /answer is (\d+)/.exec(chain.answer)![1];
		expect(scoreAnswer(chain, ` The answer is ${result}.`).correct).toBe(true);
		expect(scoreAnswer(chain, ` x = ${result}. The answer is 100.`).correct).toBe(false);
		const copy = makeTask({ task: 'copy', seed: 1, count: 5 }, count);
		expect(scoreAnswer(copy, copy.answer.slice(0, -1)).correct).toBe(true);
		expect(scoreAnswer(copy, copy.answer.slice(0, -3)).correct).toBe(false);
	});
});

describe('answerIsOver', () => {
	const count = (text: string) => text.length;
	it('is when the first line is complete', () => {
		const task = makeTask({ task: 'needle', seed: 3, length: 600 }, count);
		expect(['', '\n', ' 44', ' 4417.'].map((said) => answerIsOver(task, said))).toEqual([false, false, false, false]);
		expect(answerIsOver(task, ' 44\n')).toBe(true);
	});
	it('is when a copy has gone wrong, or says more than the list', () => {
		const task = makeTask({ task: 'copy', seed: 3, count: 4 }, count);
		for (let end = 0; end <= task.answer.length; end++) expect(answerIsOver(task, task.answer.slice(0, end))).toBe(false);
		expect(answerIsOver(task, `${task.answer} and`)).toBe(true);
		expect(answerIsOver(task, `${task.answer.slice(0, 6)}#`)).toBe(true);
		expect(scoreAnswer(task, `${task.answer} and`).correct).toBe(true);
	});
	it('never is for a story', () => {
		expect(answerIsOver(makeTask({ task: 'story', seed: 3 }, count), ' one\ntwo\n')).toBe(false);
	});
});
