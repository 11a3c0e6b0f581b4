/** What the workgroups left, put together with what was read elsewhere; and probabilities from raw scores. */
import { flatIndex } from '../program.ts';

export const THREADS = 64;

/** Peak and denominator of everything that query `row` read; `here` is false where it has no pages. */
const weigh = (headDim: number, hasBase: boolean) => `
	let t = row % uniforms.tokens;
	let queryHead = (row / uniforms.tokens) % uniforms.heads;
	let b = row / (uniforms.tokens * uniforms.heads);
	let nth = table[uniforms.batch + b];
	let head = b * uniforms.kvHeads + queryHead / (uniforms.heads / uniforms.kvHeads);
	let parted = select(0, (table[2 * uniforms.batch + head] + uniforms.ahead - 1) / uniforms.ahead, nth >= 0);
	let start = ((nth * uniforms.heads + queryHead) * uniforms.tokens + t) * uniforms.splits * ${headDim + 2} + ${headDim};
	var peak = ${hasBase ? 'logs[row]' : '-1e30'};
	for (var s = 0; s < parted; s++) {
		if (parts[start + s * ${headDim + 2} + 1] > 0.0) { peak = max(peak, parts[start + s * ${headDim + 2}]); }
	}
	var total = ${hasBase ? 'exp(logs[row] - peak)' : '0.0'};
	let own = total;
	for (var s = 0; s < parted; s++) {
		let at = start + s * ${headDim + 2};
		if (parts[at + 1] > 0.0) { total += exp(parts[at] - peak) * parts[at + 1]; }
	}`;

/** Bindings: parts, table and, with a base, logs and base. One thread a channel of a query. */
export const mergeOut = (headDim: number, hasBase: boolean) => `
fn main() {
	let i = ${flatIndex(THREADS)};
	if (i >= uniforms.size) { return; }
	let row = i / ${headDim};
	${weigh(headDim, hasBase)}
	var sum = ${hasBase ? 'own * base[i]' : '0.0'};
	for (var s = 0; s < parted; s++) {
		let at = start + s * ${headDim + 2};
		if (parts[at + 1] > 0.0) { sum += exp(parts[at] - peak) * parts[at - ${headDim} + i % ${headDim}]; }
	}
	result[i] = ${hasBase ? 'select(sum / total, base[i], own == total)' : 'select(0.0, sum / total, total > 0.0)'};
}`;

/** One thread a query: the log-sum-exp of everything. */
export const mergeLog = (headDim: number, hasBase: boolean) => `
fn main() {
	let row = ${flatIndex(THREADS)};
	if (row >= uniforms.size) { return; }
	${weigh(headDim, hasBase)}
	result[row] = ${hasBase ? 'select(peak + log(total), logs[row], own == total)' : 'select(-1e30, peak + log(total), total > 0.0)'};
}`;

/** Bindings: parts (raw scores behind them), table, logs. One thread a place of a query. */
export const shares = (rows: number) => `
fn main() {
	let i = ${flatIndex(THREADS)};
	if (i >= uniforms.size) { return; }
	let places = uniforms.slots * ${rows};
	let row = i / places;
	let queryHead = (row / uniforms.tokens) % uniforms.heads;
	let b = row / (uniforms.tokens * uniforms.heads);
	let nth = table[uniforms.batch + b];
	let head = b * uniforms.kvHeads + queryHead / (uniforms.heads / uniforms.kvHeads);
	let slot = (i % places) / ${rows};
	result[i] = 0.0;
	if (nth < 0 || slot >= table[2 * uniforms.batch + head]) { return; }
	let score = parts[uniforms.scoresAt + ((nth * uniforms.heads + queryHead) * uniforms.tokens + row % uniforms.tokens) * places + i % places];
	if (score > -1e29) { result[i] = exp(score - logs[row]); }
}`;
