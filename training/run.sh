#!/bin/sh
# Everything from nothing: tokenizer, shards, training, export, evaluation.
#   training/run.sh dense    then    training/run.sh moe
# The environment keeps large blocks in the heap and lets waiting threads sleep: on two shared
# cores training is about 1.1x faster, and far less slowed by other work.
set -eu
cd "$(dirname "$0")"
name="${1:-dense}"
out="../models/embedded"
[ "$name" = dense ] || out="../models/embedded-$name"
export OMP_WAIT_POLICY=PASSIVE MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=34359738368

[ -f tokenizer/tokenizer.json ] || python make_tokenizer.py
[ -f work/validation/seen.npz ] || python make_shards.py
if [ "$name" = dense ]; then
  python train.py --config dense --compile --easy
else
  python train.py --config "$name" --upcycle work/dense.pt
fi
cp "work/$name.jsonl" "record/$name.jsonl"
python export.py --checkpoint "work/$name.pt" --out "$out" --record "record/export-$name.json"
cd ..
name_in_bench="embedded"
[ "$name" = dense ] || name_in_bench="embedded-$name"
npm run bench:model -- --model "$name_in_bench" --limit 0 --json "training/record/bench-$name.json"
