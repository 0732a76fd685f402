"""ONNX export with onnxruntime's own operators; see ../export.py."""
