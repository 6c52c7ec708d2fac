#!/usr/bin/env python3
"""Renders every fixture in this folder with `transformers`, whose output is the expected one.

    render.py                                  renews the expected texts of all fixtures
    render.py add NAME TEMPLATE.jinja TOKENS   makes NAME.json from a template and a JSON object
                                               of its special tokens, such as {"bos_token": "<s>"}

Needs `pip install transformers jinja2`. A fixture holds a template, its special tokens and, for
each conversation below, the text or the message of the exception that the template raises.
"""

import json
import pathlib
import sys

import jinja2
from transformers.utils.chat_template_utils import render_jinja_template

FOLDER = pathlib.Path(__file__).parent


def system(text):
    return {"role": "system", "content": text}


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "It's the weather <now> & in \"Zürich\"",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "default": 3}},
            "required": [],
        },
    },
}

CONVERSATIONS = {
    "one question": [user("What is the capital of France?")],
    "system prompt": [system("You are terse."), user("Hi")],
    "several turns": [
        system("You are a helpful assistant."),
        user("Hi!"),
        assistant("Hello, how can I help?"),
        user("Tell me a joke."),
        assistant("No."),
        user("Please?"),
    ],
    "several turns without system prompt": [user("1 + 1?"), assistant("2"), user("and + 1?")],
    "unicode": [user("你好，世界! 👩‍👩‍👧 naïve \u200b Ω"), assistant("🦀 こんにちは"), user("ß")],
    "white space": [
        system("  indented \n"),
        user("\n\n leading\ttab and trailing  \n"),
        assistant(" \n spaced \n\n"),
        user("end "),
    ],
    "markup": [user("<b>a & b</b> \"q\" 'p' {{ x }} {% y %} \\n"), assistant("</s>"), user("?")],
    "empty contents": [system(""), user(""), assistant(""), user("")],
    "thinking": [
        user("2 + 2?"),
        assistant("<think>\nEasy, it's 4.\n</think>\n\nIt is 4."),
        user("Sure?"),
    ],
    "last thinking": [user("2 + 2?"), assistant("<think>\nHm.\n</think>\n\n4")],
    "answer last": [user("Hi"), assistant("Hello")],
    "user twice": [user("Hi"), user("there")],
    "system late": [user("Hi"), system("Be kind."), user("Hi again")],
}

DATE = {"date_string": "26 Jul 2024"}


def cases():
    for name, messages in CONVERSATIONS.items():
        for prompt in (True, False):
            yield name, messages, prompt, DATE
    one = CONVERSATIONS["one question"]
    yield "thinking on", one, True, DATE | {"enable_thinking": True}
    yield "thinking off", one, True, DATE | {"enable_thinking": False}
    yield "tools", CONVERSATIONS["system prompt"], True, DATE | {"tools": [WEATHER, WEATHER]}


def render(template, tokens, messages, prompt, variables):
    variables = dict(variables)
    tools = variables.pop("tools", None)
    try:
        texts, _ = render_jinja_template(
            [messages], tools=tools, chat_template=template, add_generation_prompt=prompt, **tokens, **variables
        )
    except jinja2.exceptions.TemplateError as error:
        return {"error": str(error)}
    return {"expected": texts[0]}


def fixture(template, tokens):
    rendered = [
        {"name": name, "messages": messages, "add_generation_prompt": prompt, "variables": variables}
        | render(template, tokens, messages, prompt, variables)
        for name, messages, prompt, variables in cases()
    ]
    return {"special_tokens": tokens, "template": template, "cases": rendered}


def write(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if len(sys.argv) == 5 and sys.argv[1] == "add":
    source = pathlib.Path(sys.argv[3]).read_text(encoding="utf-8")
    write(FOLDER / f"{sys.argv[2]}.json", fixture(source, json.loads(sys.argv[4])))
elif len(sys.argv) == 1:
    for path in sorted(FOLDER.glob("*.json")):
        old = json.loads(path.read_text(encoding="utf-8"))
        write(path, fixture(old["template"], old["special_tokens"]))
else:
    sys.exit(__doc__)
