/** A trace as files that other programs read. */
import { BILL_ITEMS, type Trace } from '$lib/documents/trace.ts';
import { PROVENANCE_WORDS } from './provenance.ts';

function field(value: string | number | boolean): string {
	const text = String(value);
	return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const COLUMNS = [
	'arm', 'methods', 'step', 'token', 'text', 'reference_token', 'reference_text',
	'kl_nats', 'agrees', 'nll_nats', 'bytes_total', 'bytes_fast', 'ratio', 'bits_per_number',
	...BILL_ITEMS.map((item) => `bytes_${item}`), 'provenance'
];

/** One line an arm and step; RFC 4180, full precision. */
export function traceToCsv(trace: Trace): string {
	const lines = [COLUMNS.join(',')];
	for (const arm of trace.arms) {
		const methods = arm.stack.map((spec) => spec.method).join('+');
		arm.steps.forEach((step, i) => {
			const other = trace.reference.steps[i];
			lines.push([
				arm.label, methods, i, step.token, step.text, other?.token ?? '', other?.text ?? '',
				step.kl, step.agrees, step.nll, step.bill.total, step.bill.fast, step.bill.ratio, step.bill.bitsPerNumber,
				...BILL_ITEMS.map((item) => step.bill.items[item]), PROVENANCE_WORDS[trace.provenance]
			].map(field).join(','));
		});
	}
	return `${lines.join('\r\n')}\r\n`;
}

/** Everything but the cells and decisions, which only the pictures need. */
export function traceToJson(trace: Trace): string {
	const { arms, ...rest } = trace;
	return JSON.stringify({
		...rest,
		arms: arms.map(({ cells: _cells, diffs: _diffs, verbs, ...arm }) => ({
			...arm,
			verbs: verbs.map(({ decision: _decision, positions, weights, ...verb }) => ({
				...verb, positions: [...positions], ...(weights ? { weights: [...weights] } : {})
			}))
		}))
	}, null, '\t');
}
