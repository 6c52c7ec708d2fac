"""python -m tealight_export HF_FOLDER OUT"""
import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from . import check, experts, factors, latent, load, rotary, trace

# What Tealight reads beside a graph.
BESIDE = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
    "chat_template.json", "LICENSE", "LICENSE.md", "LICENSE.txt",
)


def export(source, out):
    """Writes OUT with `model.onnx`, its weights and the texts beside them. Raises `Refused` if the graph is not the model."""
    out = Path(out)
    if out.exists() and any(out.iterdir()):
        raise load.Refused(f"{out} is not empty")
    from . import recurrent

    model = load.model(source)
    expected = check.expected(model)
    experts.make_traceable(model)
    latent.write_out(model)
    recurrent.write_out(model)
    rotary.write_out(model)
    factors.write_out(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        made = Path(folder) / out.name
        made.mkdir()
        trace.write(model, made / "model.onnx")
        apart = check.against(expected, made / "model.onnx", model)
        for name in BESIDE:
            if (Path(source) / name).is_file():
                shutil.copy(Path(source) / name, made)
        if out.exists():
            out.rmdir()
        os.rename(made, out)
    return apart


def main():
    parser = argparse.ArgumentParser(prog="python -m tealight_export", description=export.__doc__)
    parser.add_argument("source", metavar="HF_FOLDER", help="a folder with config.json and safetensors")
    parser.add_argument("out", metavar="OUT", help="a folder that does not exist yet, or is empty")
    arguments = parser.parse_args()
    try:
        apart = export(arguments.source, arguments.out)
    except load.Refused as refused:
        sys.exit(f"error: {refused}")
    print(f"{arguments.out}: logits within {apart:.1e} of torch's")


if __name__ == "__main__":
    main()
