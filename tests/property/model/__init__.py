"""What a trace means, written naively from the text of perfetto-decoding, without a look at the decoder."""
