/** Experiment documents of every form, for property tests. */
import fc from 'fast-check';
import { EDIT_ACTS } from './experiment.ts';

const budget = fc.oneof(
	fc.record({ fraction: fc.double({ min: 0, max: 1, noNaN: true }) }), fc.record({ tokens: fc.integer({ min: 1, max: 5000 }) }),
	fc.record({ bytes: fc.integer({ min: 1, max: 1e9 }) })
);
const key = fc.stringMatching(/^[a-z][A-Za-z]{0,6}$/).filter((k) => k !== 'method' && k !== 'constructor');
const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string(), fc.boolean(), budget,
	fc.record({ method: fc.stringMatching(/^[a-z]+$/).filter(Boolean), params: fc.dictionary(key, budget) }, { requiredKeys: ['method'] }));
const method = fc.record({ method: fc.stringMatching(/^[a-z0-9-]+$/).filter(Boolean), params: fc.dictionary(key, value) }, { requiredKeys: ['method'] });
const seed = fc.nat(0xffffffff);
const tokens = fc.array(fc.nat(4000), { minLength: 1, maxLength: 20 });
const matchBytes = fc.oneof(fc.record({ arm: fc.nat(31) }), fc.record({ bytes: fc.integer({ min: 1, max: 1e9 }) }));
const edit = fc.record({
	step: fc.integer({ min: -1, max: 300 }), act: fc.constantFrom(...EDIT_ACTS), positions: fc.array(fc.nat(4000), { minLength: 1, maxLength: 20 }),
	layer: fc.nat(40), head: fc.nat(40)
}, { requiredKeys: ['step', 'act', 'positions'] });
export const documents = fc.record({
	version: fc.constant(1), model: fc.constantFrom('nano', 'path:x', 'hf:a/b@c'),
	prompt: fc.oneof(
		fc.record({ text: fc.string({ unit: 'grapheme' }) }), fc.record({ tokens }),
		fc.record({ chat: fc.array(fc.record({ role: fc.constantFrom('user', 'assistant'), content: fc.string() }), { minLength: 1 }) }),
		fc.record({ task: fc.constant('needle'), seed, length: fc.nat() })
	),
	forced: fc.oneof(fc.string({ minLength: 1 }), fc.record({ tokens })),
	generate: fc.record({
		tokens: fc.integer({ min: 0, max: 300 }), temperature: fc.double({ min: 0, max: 2, noNaN: true }),
		topK: fc.nat(100), topP: fc.double({ min: 0.01, max: 1, noNaN: true }), seed
	}, { requiredKeys: [] }),
	prefill: fc.record({ block: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 512 })) }, { requiredKeys: [] }),
	arms: fc.array(fc.record({ label: fc.string(), stack: fc.array(method, { maxLength: 3 }), matchBytes, edits: fc.array(edit, { maxLength: 4 }) }, { requiredKeys: ['stack'] }), { maxLength: 4 }),
	report: fc.subarray(['steps', 'bill', 'kept', 'logits']),
	view: fc.dictionary(key, fc.jsonValue())
}, { requiredKeys: ['version', 'model', 'prompt', 'arms'] });
