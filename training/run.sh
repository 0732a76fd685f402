#!/bin/sh
# Shards, training, export, evaluation:
#   training/run.sh dense    then    training/run.sh moe
# On a GPU this is the shipped run, from the checkpoint of its first 5,087 steps (12 minutes of an H200 and 16 cores). On CPUs it starts from
# nothing, takes smaller steps and fewer of them: days would be needed.
# The environment keeps large blocks in the heap and lets waiting threads sleep: on two shared
# cores training is about 1.1x faster, and far less slowed by other work.
set -eu
cd "$(dirname "$0")"
name="${1:-dense}"
out="../models/embedded"
[ "$name" = dense ] || out="../models/embedded-$name"
export OMP_WAIT_POLICY=PASSIVE MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=34359738368
if python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then device=gpu; else device=cpu; fi

[ -f tokenizer/tokenizer.json ] || python make_tokenizer.py
if [ "$device" = gpu ]; then
  # Samples are made while the model trains on the first of them; a shard is 2.85 M tokens.
  [ -f work/shards/full-2329.npz ] || nice -n 10 python make_shards.py --processes "${PROCESSES:-12}" --easy 0 --full 330 --first 2000 &
  while [ ! -f work/validation/heldout.npz ]; do sleep 1; done
  python regrow.py --checkpoint checkpoint/dense-before-decay.pt --old checkpoint/tokenizer.json --out work/start.pt
  python widen.py --checkpoint work/start.pt --out work/start.pt
  dense="--resume work/start.pt --embedding-rate 2.5 --follow 2000:200 --workers 3 --save-every 1000" moe="--follow 2188:142 --workers 3 --save-every 1000" steps=13998
else
  [ -f work/validation/seen.npz ] || python make_shards.py
  dense="--batch-tokens 6144 --compile --easy --steps 9000 --decay 3600" moe="--batch-tokens 8192 --steps 400 --decay 300" steps=9000
fi
# shellcheck disable=SC2086 # several words on purpose
if [ "$name" = dense ]; then
  python train.py --config dense $dense
  cp work/dense.pt work/dense-before-labels.pt
  python make_shards.py --easy 0 --full 0 --labels 4
  python train.py --config dense --resume work/dense.pt --shards 'labels-*.npz' --batch-tokens 12288 --rate 0.05 --steps "$((steps + 332))" --decay 240
else
  python train.py --config "$name" --upcycle work/dense-before-labels.pt $moe
fi
wait
cp "work/$name.jsonl" "record/$name.jsonl"
python export.py --checkpoint "work/$name.pt" --out "$out" --record "record/export-$name.json"
cd ..
name_in_bench="embedded"
[ "$name" = dense ] || name_in_bench="embedded-$name"
npm run bench:model -- --model "$name_in_bench" --limit 0 --json "training/record/bench-$name.json"
