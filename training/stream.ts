// Writes training rows to standard output for ever:
// node scripts/run-ts.mjs training/stream.ts --T 128 --seed 1 --mix recall=45,copy=12,ids=8,arith=10,chain=12,story=13
// A row is T+1 token ids (uint16, little endian; the first is <|bos|>), then T+1 places that hold the
// token repeated (uint16, 0 for none), then T+1 loss weights (uint8,
// units of 1/32; each is the weight of predicting that token).
import { random } from '$lib/numerics/random.ts';
import { options } from './options.ts';
import { makeRow, parseMix, pickKind } from './row.ts';
import { loadTokens } from './tokens.ts';

const CHUNK = 1 << 18;

export async function main(args: string[]): Promise<void> {
	const { T, seed, mix, rows } = options(args, {
		T: '128', seed: '1', mix: 'recall=45,copy=12,ids=8,arith=10,chain=12,story=13', rows: 'Infinity'
	});
	const length = Number(T);
	if (!Number.isInteger(length) || length < 16) throw new RangeError(`--T is ${T}; it must be a whole number of 16 or more`);
	const shares = parseMix(mix);
	const tokens = loadTokens();
	const root = random(`training/${T}/${seed}`);
	const out = process.stdout;
	let open = true;
	// The reader goes away when it has enough: that is the normal end.
	out.on('error', (error: NodeJS.ErrnoException) => {
		open = false;
		if (error.code !== 'EPIPE') throw error;
	});
	let resume = () => {};
	out.on('close', () => {
		open = false;
		resume();
	});
	out.on('drain', () => resume());
	let waiting: Uint8Array[] = [];
	let size = 0;
	const flush = async () => {
		const full = !out.write(Buffer.concat(waiting, size));
		waiting = [];
		size = 0;
		if (full && open) await new Promise<void>((done) => (resume = done));
		// Lets a broken pipe be noticed even where writing is synchronous.
		else await new Promise(setImmediate);
	};
	for (let row = 0; open && row < Number(rows); row++) {
		const rng = root.fork(String(row));
		const bytes = makeRow(tokens, rng, pickKind(rng, shares), length);
		waiting.push(bytes);
		size += bytes.length;
		if (size >= CHUNK) await flush();
	}
	if (open && size > 0) await flush();
}
