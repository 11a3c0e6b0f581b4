/** What the workgroups left, put together with what was read elsewhere; and probabilities from raw scores. WGSL of a thread of `flat`. */
import { BLOCK, BLOCK_NUMBERS } from '../attention/online.wgsl.ts';

/** How what was read elsewhere is bound: `base` [.., headDim] and `logs`, or `base` with the log-sum-exp behind each row. */
export type BaseForm = 'none' | 'apart' | 'together';

/** WGSL: the log-sum-exp of what was read elsewhere. */
const logOf = (headDim: number, form: BaseForm) => (form === 'together' ? `base[row * ${headDim + 1} + ${headDim}]` : 'logs[row]');

/** Peak and denominator of everything that query `row` read. */
const weigh = (headDim: number, form: BaseForm) => `
	let t = row % uniforms.tokens;
	let queryHead = (row / uniforms.tokens) % uniforms.heads;
	let b = row / (uniforms.tokens * uniforms.heads);
	let nth = table[uniforms.batch + b];
	let head = b * uniforms.kvHeads + queryHead / (uniforms.heads / uniforms.kvHeads);
	let parted = select(0, (table[2 * uniforms.batch + head] + uniforms.ahead - 1) / uniforms.ahead, nth >= 0);
	let start = ((nth * uniforms.heads + queryHead) * uniforms.tokens + t) * uniforms.splits * ${headDim + 2} + ${headDim};
	${form === 'none' ? '' : `let elsewhere = ${logOf(headDim, form)};`}
	var peak = ${form === 'none' ? '-1e30' : 'elsewhere'};
	for (var s = 0; s < parted; s++) {
		if (parts[start + s * ${headDim + 2} + 1] > 0.0) { peak = max(peak, parts[start + s * ${headDim + 2}]); }
	}
	var total = ${form === 'none' ? '0.0' : 'exp(elsewhere - peak)'};
	let own = total;
	for (var s = 0; s < parted; s++) {
		let at = start + s * ${headDim + 2};
		if (parts[at + 1] > 0.0) { total += exp(parts[at] - peak) * parts[at + 1]; }
	}`;

/** Bindings: parts, table and what `form` says. One thread a channel of a query. */
export const mergeOut = (headDim: number, form: BaseForm) => `
	let row = i / ${headDim};
	${weigh(headDim, form)}
	${form === 'none' ? '' : `let before = base[${form === 'together' ? `row * ${headDim + 1} + i % ${headDim}` : 'i'}];`}
	var sum = ${form === 'none' ? '0.0' : 'own * before'};
	for (var s = 0; s < parted; s++) {
		let at = start + s * ${headDim + 2};
		if (parts[at + 1] > 0.0) { sum += exp(parts[at] - peak) * parts[at - ${headDim} + i % ${headDim}]; }
	}
	result[i] = ${form === 'none' ? 'select(0.0, sum / total, total > 0.0)' : 'select(sum / total, before, own == total)'};`;

/** One thread a query: the log-sum-exp of everything. */
export const mergeLog = (headDim: number, form: BaseForm) => `
	let row = i;
	${weigh(headDim, form)}
	result[row] = ${form === 'none' ? 'select(-1e30, peak + log(total), total > 0.0)' : 'select(peak + log(total), elsewhere, own == total)'};`;

/**
 * Bindings: scores, table, logs. One thread a place of a query. Scores are raw, from number `scoresAt` on, or (`inBlocks`)
 * as `leaveBlock` leaves them.
 */
export const shares = (rows: number, inBlocks: boolean) => `
	let places = uniforms.slots * ${rows};
	let row = i / places;
	let place = i % places;
	let queryHead = (row / uniforms.tokens) % uniforms.heads;
	let b = row / (uniforms.tokens * uniforms.heads);
	let nth = table[uniforms.batch + b];
	let head = b * uniforms.kvHeads + queryHead / (uniforms.heads / uniforms.kvHeads);
	result[i] = 0.0;
	if (nth < 0 || place / ${rows} >= table[2 * uniforms.batch + head]) { return; }
	let part = (nth * uniforms.heads + queryHead) * uniforms.tokens + row % uniforms.tokens;
	${inBlocks
		? `let at = (part * (places / ${BLOCK}) + place / ${BLOCK}) * ${BLOCK_NUMBERS};
	let weight = scores[at + place % ${BLOCK}];
	if (weight > 0.0) { result[i] = weight * exp(scores[at + ${BLOCK}] - logs[row]); }`
		: `let score = scores[uniforms.scoresAt + part * places + place];
	if (score > -1e29) { result[i] = exp(score - logs[row]); }`}`;
