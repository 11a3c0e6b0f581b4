import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documents } from './arbitrary.ts';
import type { Experiment } from './experiment.ts';
import { DocumentError, parseExperiment, parseExperimentText, strip } from './schema.ts';

const good = {
	version: 1, model: 'nano', prompt: { task: 'needle', seed: 3, length: 550 },
	arms: [{ stack: [{ method: 'snapkv', params: { budget: { fraction: 0.25 }, inner: { method: 'h2o' } } }] }]
};
const strictly = { unknown: 'error' } as const;
const wrong = (json: unknown): string => {
	try {
		parseExperiment(json, strictly);
	} catch (error) {
		expect(error).toBeInstanceOf(DocumentError);
		return (error as Error).message;
	}
	throw new Error(`accepted ${JSON.stringify(json)}`);
};

describe('parseExperiment', () => {
	it('fills in what a document leaves out', () => {
		const { experiment, notices } = parseExperiment(good, strictly);
		expect(notices).toEqual([]);
		expect(experiment.generate).toEqual({ tokens: 64, temperature: 0, topK: 0, topP: 1, seed: 0 });
		expect(experiment.prefill).toEqual({ block: null });
		expect(experiment.report).toEqual(['steps', 'bill']);
		expect(experiment.prompt).toEqual(good.prompt);
		expect(experiment.arms).toEqual(good.arms);
	});

	it.each([
		['expected an experiment document: a JSON object, found null', null],
		['version: missing; expected the number 1', {}],
		['version: expected the number 1, found "1"', { ...good, version: '1' }],
		['version: expected 1, found 2: the document was made by a newer Winnow', { ...good, version: 2 }],
		['modle: unknown key; expected only version, model,', { ...good, modle: 'nano', model: undefined }],
		['prompt: expected an object with one of text, tokens, chat, task, found "hello"', { ...good, prompt: 'hello' }],
		['prompt: expected only one of text, tokens', { ...good, prompt: { text: 'a', tokens: [1] } }],
		['prompt.tokens: expected at least one token', { ...good, prompt: { tokens: [] } }],
		['prompt.tokens[1]: expected a token number (0 or more), found 1.5', { ...good, prompt: { tokens: [1, 1.5] } }],
		['prompt.seed: missing; expected a whole number', { ...good, prompt: { task: 'needle' } }],
		['prompt.chat[0].role: expected "system", "user" or "assistant"', { ...good, prompt: { chat: [{ role: 'bot', content: '' }] } }],
		['arms: missing; expected a list of arms', { ...good, arms: undefined }],
		['arms[1].stack[0].method: expected the id of a method, such as "snapkv", found 3', { ...good, arms: [{ stack: [] }, { stack: [{ method: 3 }] }] }],
		['arms[0].stack[0].params.budget.fraction: expected a share from 0 to 1, found 2', { ...good, arms: [{ stack: [{ method: 'h2o', params: { budget: { fraction: 2 } } }] }] }],
		['arms[0].stack[0].params.budget: expected a budget with exactly one of', { ...good, arms: [{ stack: [{ method: 'h2o', params: { budget: { fraction: 1, tokens: 2 } } }] }] }],
		['generate.tokns: unknown key; expected only tokens, temperature', { ...good, generate: { tokns: 4 } }],
		['generate.topP: expected a number above 0, at most 1, found 0', { ...good, generate: { topP: 0 } }],
		['forced: expected a text that is not empty', { ...good, forced: '' }],
		['prefill.block: expected a whole number, 1 or more, found 0', { ...good, prefill: { block: 0 } }],
		['arms[0].matchBytes: expected exactly one of {"arm": index} and {"bytes": number}, found {"arm":1,"bytes":5}', { ...good, arms: [{ stack: [], matchBytes: { arm: 1, bytes: 5 } }] }],
		['arms[0].matchBytes.arm: expected the index of an arm', { ...good, arms: [{ stack: [], matchBytes: { arm: -1 } }] }],
		['arms[0].matchBytes.by: unknown key; expected only arm, or only bytes', { ...good, arms: [{ stack: [], matchBytes: { arm: 1, by: 5 } }] }],
		['arms[0].edits[1].act: expected "pin", "evict", "restore" or "keep", found "drop"', { ...good, arms: [{ stack: [], edits: [{ step: 0, act: 'evict', positions: [1] }, { step: 0, act: 'drop', positions: [1] }] }] }],
		['arms[0].edits[0].positions: expected at least one position', { ...good, arms: [{ stack: [], edits: [{ step: 0, act: 'evict', positions: [] }] }] }],
		['arms[0].edits[0].step: missing; expected the step before which', { ...good, arms: [{ stack: [], edits: [{ act: 'evict', positions: [1] }] }] }],
		['arms[0].edits[0].token: unknown key; expected only step, act, positions, layer, head', { ...good, arms: [{ stack: [], edits: [{ step: 0, act: 'evict', positions: [1], token: 4 }] }] }],
		['report[1]: expected one of steps, bill, kept, logits, found "all"', { ...good, report: ['kept', 'all'] }]
	])('says %s', (message, json) => {
		expect(wrong(json)).toContain(message);
	});

	it('says what is wrong with text that is no JSON', () => {
		expect(() => parseExperimentText('{"version": 1,', strictly)).toThrow(/^expected a JSON document; /);
	});

	it('drops and reports what it does not know, when asked to', () => {
		const { experiment, notices } = parseExperiment({ ...good, colour: 'red', generate: { beams: 3, tokens: 5 } }, { unknown: 'notice' });
		expect(notices).toHaveLength(2);
		expect(notices[0]).toMatch(/^colour: /);
		expect(notices[1]).toMatch(/^generate\.beams: /);
		expect(experiment).not.toHaveProperty('colour');
		expect(experiment.generate).toEqual({ tokens: 5, temperature: 0, topK: 0, topP: 1, seed: 0 });
	});
});

describe('strip', () => {
	it('leaves out exactly what parsing fills in', () => {
		fc.assert(fc.property(documents, (document) => {
			const json = JSON.parse(JSON.stringify(document)) as unknown;
			const { experiment } = parseExperiment(json, strictly);
			const again = parseExperiment(JSON.parse(JSON.stringify(strip(experiment))), strictly).experiment;
			const { view, ...rest } = experiment;
			const { view: viewAgain, ...restAgain } = again as Experiment;
			expect(restAgain).toEqual(rest);
			expect(viewAgain ?? {}).toEqual(view ?? {});
		}), { numRuns: 300 });
	});

	it('keeps a short document short', () => {
		expect(strip(parseExperiment(good, strictly).experiment)).toEqual(good);
	});
});
