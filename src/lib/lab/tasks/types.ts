export type TaskName = 'needle' | 'facts' | 'chat' | 'chain' | 'copy' | 'story';

/** What an experiment document says about a task. */
export interface TaskSpec {
	task: TaskName;
	seed: number;
	/** Tokens of the prompt. */
	length?: number;
	/** 0 to 1: where in the other text the needle stands. */
	depth?: number;
	[option: string]: number | string | boolean | undefined;
}

export interface TaskInstance {
	/** The text without `<|bos|>`. */
	prompt: string;
	/** What a correct greedy continuation starts with; empty for a story, which has no answer. */
	answer: string;
	/** The places in the prompt that hold the answer, as character ranges. */
	needles: { text: string; start: number; end: number }[];
	question?: string;
	title: string;
	maxNewTokens: number;
}

export interface TaskOption {
	name: string;
	type: 'int' | 'number' | 'choice';
	/** None: the text is as long as it has to be. */
	default?: number | string;
	min?: number;
	max?: number;
	choices?: string[];
	about: string;
}
export interface TaskInfo {
	title: string;
	about: string;
	options: TaskOption[];
}
