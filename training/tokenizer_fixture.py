"""Writes the token ids that Python's tokenizers gives for some texts, easy and odd:

    python training/tokenizer_fixture.py static/models/nano > src/lib/lab/tasks/fixtures/tokenizer.json

The unit tests compare the page's tokenizer with them.
"""
import json
import sys

from tokenizers import Tokenizer

TEXTS = [
    "",
    "The secret code of the red lantern is 4721.\nQ: What is the code of the red lantern?\nA:",
    "Let p = 8. Let w = p - 6. p = 8. w = 8 - 6 = 2. The answer is 2.",
    "Sums: 99 + 0 = 99. 100 - 1 = 99. 7 12 123 1234 12345 3.14 1,000,000 12:30",
    "Copy: k7x m2q zz4 p9 r0t 77 x10y 10x100\nCopy:",
    "\"Where is my kite?\" cried Anna. 'Don't worry!' (said Bo) - e-mail: a_b@c.org; #5 & 50% <b>",
    "Unbelievably, xylographers quarrelled; HTTPServer camelCase ALLCAPS supercalifragilistic",
    "na\u00efve caf\u00e9 \u00dcbung \u00df \u0141\u00f3d\u017a \u4f60\u597d\u4e16\u754c \u3053\u3093 \u0645\u0631\u062d\u0628\u0627 \u0939\u093f\u0928\u094d\u0926\u0940",
    "\U0001F600 a\U0001F468\u200D\U0001F469\u200D\U0001F467b \u2014 \u201cquoted\u201d \u2026 \u00bd \u0663\u0664 \u00b2",
    "  two  spaces   three\ttab\r\nline \u00a0nbsp\u2003em\u3000wide\n\n\nend  ",
    "0 00 000 01 007 9a a9 9 9 99 999 -5 +5 5-5 5+5=10",
    "User: How are you today?\nBot: I am well, thank you.\n",
    "<|bos|> inside <|end|> text",
    "\x00\x01 control \x7f \ufeff bom \ufffd",
]

tokenizer = Tokenizer.from_file(f"{sys.argv[1]}/tokenizer.json")
cases = [{"text": t, "ids": tokenizer.encode(t).ids, "plain": tokenizer.encode(t, add_special_tokens=False).ids} for t in TEXTS]
json.dump(cases, sys.stdout, indent="\t")
print()
