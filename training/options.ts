/** `--name value` pairs of a command line. */
export function options(args: string[], known: Record<string, string>): Record<string, string> {
	const values = { ...known };
	for (let i = 0; i < args.length; i += 2) {
		const name = args[i].replace(/^--/, '');
		if (!args[i].startsWith('--') || !(name in known) || args[i + 1] === undefined) {
			throw new RangeError(`I do not know ${args[i]}; the options are --${Object.keys(known).join(', --')}`);
		}
		values[name] = args[i + 1];
	}
	return values;
}
