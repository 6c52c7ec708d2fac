"""Exports decoders from Hugging Face folders to ONNX graphs that Tealight compiles.

    folder → model (load.py) → mixtures made traceable (experts.py), latent attention plain (latent.py), layers with a state
           one node each (recurrent.py, operators.py), positions those of text (rotary.py), no factors beside weights (factors.py)
           → ONNX (trace.py)
           → held against the model (check.py) → OUT, whole or not at all (__main__.py)
"""
