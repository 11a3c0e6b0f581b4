import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';

const eslint = new ESLint();

/** Messages of the room rule for a file of `room` that holds `code`. */
async function complaints(path: string, code: string): Promise<string[]> {
	const [result] = await eslint.lintText(code, { filePath: path });
	return result.messages.filter((m) => m.message.includes('rooms below')).map((m) => m.ruleId ?? '');
}

describe('the room rule', () => {
	it('lets a room import the rooms below it', async () => {
		expect(await complaints('src/lib/lab/x.ts', "import '$lib/cache/types.ts';")).toEqual([]);
		expect(await complaints('src/lib/lab/x.ts', "import '$lib/store/store.ts';")).toEqual([]);
		expect(await complaints('src/lib/views/map/x.ts', "import '$lib/documents/trace.ts';")).toEqual([]);
	});

	it.each([
		['src/lib/cache/x.ts', "import '$lib/methods/define.ts';"],
		['src/lib/cache/x.ts', "import '../lab/lab.ts';"],
		['src/lib/cache/codecs/x.ts', "import '../../lab/lab.ts';"],
		['src/lib/model/x.ts', "export const late = () => import('$lib/cache/types.ts');"],
		['src/lib/methods/x.ts', "import '$lib/store/store.ts';"],
		['src/lib/store/x.ts', "import '../lab/lab.ts';"],
		['src/lib/views/map/x.ts', "import type { Tensor } from '$lib/ops/index.ts';"],
		['src/lib/numerics/x.ts', "import '$lib/documents/trace.ts';"],
		['src/lib/lab/x.ts', "import '../../routes/x.ts';"]
	])('refuses an import upwards: %s %s', async (path, code) => {
		expect(await complaints(path, code)).toHaveLength(1);
	});
});
