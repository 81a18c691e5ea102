#!/bin/sh
# Turns running text, cased and punctuated, into a tagging task: words in lower
# case without punctuation, a tag for each that says what was taken away.
#   sh make.sh < text > train.jsonl
# One paragraph a line; marks stand alone or at a word's end. Tags are O or B-
# and UPPER, TITLE (all letters, or the first, were capitals), COMMA (also of ;
# and :) and PERIOD (also of ! and ?) joined by a plus sign, so that the f1 of
# `modicum train` and `modicum bench` is of the words that need something.
LC_ALL=C awk '
function flush(    i, w, t) {
  if (count < 3) { count = 0; return }
  for (i = 1; i <= count; ++i) {
    w = w (i > 1 ? "," : "") "\"" words[i] "\""
    t = t (i > 1 ? "," : "") "\"" name(cases[i], marks[i]) "\""
  }
  print "{\"tokens\":[" w "],\"tags\":[" t "]}"
  count = 0
}
function name(c, m) {
  if (c == "" && m == "") return "O"
  return "B-" c (c != "" && m != "" ? "+" : "") m
}
{
  if ($1 == "=") next  # a heading, as WikiText has it
  for (k = 1; k <= NF; ++k) {
    word = $k
    mark = ""
    while (word ~ /[,;:.!?]$/) {
      mark = word ~ /[.!?]$/ ? "PERIOD" : mark == "" ? "COMMA" : mark
      word = substr(word, 1, length(word) - 1)
    }
    gsub(/^[("]+|[)"]+$|[\\"[:cntrl:]]/, "", word)
    if (word !~ /[a-zA-Z0-9]/) {  # a mark alone is of the word before it
      if (mark != "" && count > 0) marks[count] = mark
      continue
    }
    ++count
    words[count] = tolower(word)
    marks[count] = mark
    cases[count] = word ~ /^[A-Z][A-Z0-9.]+$/ ? "UPPER" : word ~ /^[A-Z]/ ? "TITLE" : ""
  }
  flush()
}'
