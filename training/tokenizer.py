"""Makes static/models/nano/tokenizer.json.

    node scripts/run-ts.mjs training/corpus.ts | python training/tokenizer.py static/models/nano

A byte-level BPE. Every word of the generators' world, and every number below 100, is a token of its
own: `ignore_merges` takes a piece that is in the vocabulary as it stands. The merges serve
everything else that a reader may type.

The shipped vocabulary is frozen: the weights belong to it. It was made from the generators as they
were in commit a02ec52; wordings added later use words that it has (a unit test sees to that).
"""
import json
import sys
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

LIMIT = 4096
MERGES = 400
SPECIAL = ["<|bos|>", "<|end|>"]


def main() -> None:
    out = Path(sys.argv[1])
    source = json.load(sys.stdin)

    def splitter():
        return pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(source["pattern"]), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ])

    # Frequent parts of words, learnt from the words themselves so that rare ones count too.
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = splitter()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner.train_from_iterator(
        source["words"] * 3 + [source["text"]],
        trainers.BpeTrainer(vocab_size=256 + MERGES, special_tokens=[], initial_alphabet=alphabet, show_progress=False))
    learnt = json.loads(learner.to_str())["model"]

    vocab = {token: i for i, token in enumerate(SPECIAL)}

    def add(token: str) -> None:
        if token not in vocab:
            vocab[token] = len(vocab)

    for token in alphabet:
        add(token)
    for number in range(100):
        add(str(number))
        add("Ġ" + str(number))
    for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ":
        add("Ġ" + letter)
    for sign in "+-=*/\"'.,:;?!()<>%&#":
        add("Ġ" + sign)
    for token in learnt["vocab"]:
        add(token)
    for word in sorted(word.replace(" ", "Ġ") for word in source["words"]):
        add(word)
    print(len(vocab), "tokens")
    if len(vocab) > LIMIT:
        raise SystemExit(f"the vocabulary has {len(vocab)} tokens, more than {LIMIT}")

    merges = [tuple(pair) for pair in learnt["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=True))
    tokenizer.pre_tokenizer = splitter()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|bos|> $A", pair="<|bos|> $A $B", special_tokens=[("<|bos|>", 0)])
    tokenizer.add_special_tokens(SPECIAL)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    (out / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|bos|>",
        "eos_token": "<|end|>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": 2048,
    }, indent="\t") + "\n")


main()
