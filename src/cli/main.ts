/**
 * The lab without a page. Standard output carries the result and nothing else; words for people go
 * to standard error. Exit status: 0 done, 2 the document or the call is wrong, 1 anything else.
 */
import { DocumentError } from '$lib/documents/schema.ts';
import { UsageError } from './arguments.ts';
import { calibrateModel } from './calibrate.ts';
import { matchFile } from './match.ts';
import { describeMethods } from './methods.ts';
import { recordFile } from './record.ts';
import { runFile } from './run.ts';
import { sweep } from './sweep.ts';
import { printTask } from './task.ts';

const HELP = `winnow: KV-cache compression experiments from the command line

usage:
  npm run winnow -- run FILE.json [--backend wasm|cpu|webgpu] [--weights f32|f16|int8|int4]
      Runs the experiment (FILE.json, or - for standard input) and prints the result, one JSON object.
  npm run winnow -- record FILE.json OUT [--backend …] [--weights …] [--size BYTES] [--probes LIST] [--halves false]
      Runs the experiment and writes a recorded run for the page: its trace, and the probes that a
      page asks for first, up to BYTES (1900000), or those of LIST, e.g. attention:2:1,spectrum:2:0
      (kind:layer:head). Pictures' numbers are stored as halves. OUT ending in .gz is gzipped.
  npm run winnow -- task NAME --seed N [--length N] [--OPTION VALUE …] [--model ID] [--json]
      Prints the text of a task, exactly as a run would read it.
  npm run winnow -- match FILE.json --arm I --to J|BYTES [--backend …] [--weights …]
      Sets the size of arm I (a budget, bits, ranks) so that it costs after the prompt what arm J costs, or
      BYTES, as nearly as it can, and prints the changed experiment. Arms are counted from 0.
  npm run winnow -- sweep [--methods A,B] [--tasks A,B] [--budgets 0.5,0.25] [--seeds N] [--first SEED]
        [--batch ARMS] [--part 1/2] [--work DIR] [--out FILE] [--fold] [--model ID] [--backend …] [--weights …]
      Measures methods x budgets x tasks over N texts each and writes the table. It can be stopped and
      goes on when called again; several parts can run at once. --fold writes what there is.
  npm run winnow -- calibrate [NAME …] [--model ID] [--seeds N] [--first SEED] [--out DIR] [--backend …] [--weights …]
      Computes what methods need shipped with a model (q-filters, query-statistics, head-patterns,
      head-budgets; all where none is named) from N texts of each task (10), and writes
      calibration/NAME.json into the model's folder, or into DIR.
  npm run winnow -- methods [ID] [--json]
      Lists the methods and their parameters.
  npm run winnow -- --help

models: an id from static/models, hf:ORG/NAME, a folder (config.json, safetensors, tokenizer.json) or a .gguf file
exit status: 0 done; 2 the document or the call is wrong (the message says where and what was expected); 1 anything else
`;

/** Runs one command; gives back the exit status. */
export async function main(args: string[]): Promise<number> {
	// Libraries may talk; only the result may be on standard output.
	console.log = console.info = console.debug = console.error;
	try {
		const [command, ...rest] = args;
		switch (command) {
			case 'run':
				await print(JSON.stringify(await runFile(rest)));
				return 0;
			case 'record':
				await recordFile(rest);
				return 0;
			case 'task':
				await print(await printTask(rest));
				return 0;
			case 'match':
				await print(await matchFile(rest));
				return 0;
			case 'sweep':
				await sweep(rest);
				return 0;
			case 'calibrate':
				await calibrateModel(rest);
				return 0;
			case 'methods':
				await print(describeMethods(rest));
				return 0;
			case 'help':
			case '--help':
			case '-h':
				await print(HELP.trimEnd());
				return 0;
			default:
				throw new UsageError(command === undefined ? 'what shall I do? See winnow --help' : `there is no command "${command}"; see winnow --help`);
		}
	} catch (error) {
		const wrong = error instanceof DocumentError || error instanceof UsageError;
		process.stderr.write(`${(error as Error).message}\n`);
		if (!wrong && process.env.WINNOW_DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
		return wrong ? 2 : 1;
	}
}

/** Waits until all is written: a pipe takes big results in pieces. */
function print(text: string): Promise<void> {
	return new Promise((resolve, reject) => {
		process.stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve()));
	});
}
