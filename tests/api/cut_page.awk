# Cuts the code out of docs/api.md: its programs, the calls of the table of
# windows and the names of the table of results, one file for each language.
#   awk -v out=FOLDER -f cut_page.awk docs/api.md

function Write(name, line) {
  print line > (out "/" name)
  lines[name]++
}

# `code` without the quotes of Markdown.
function Code(cell) {
  gsub(/^ *`|` *$/, "", cell)
  return cell
}

BEGIN { FS = "|" }

/^    #include <modicum\/meter.hpp>/ { program = "program.cc.inc" }
/^    #include <modicum\/modicum.h>/ { program = "program.c.inc" }
/^[^ ]/ { program = "" }
program && /^    / { Write(program, substr($0, 5)) }

/^\|/ && $3 ~ /^ C\+\+ $/ { table = Code($2) ~ /figure/ ? "figures" : "calls" }
!/^\|/ { table = "" }
table && $3 ~ /`/ {
  if (table == "calls") {
    Write("calls.cc.inc", Code($3) ";")
    Write("calls.c.inc", "CALL(" Code($4) ")")
  } else {
    Write("figures.cc.inc", "static_cast<void>(result." Code($3) ");")
    fields = split($4, field, ",")
    for (i = 1; i <= fields; i++) {
      name = Code(field[i])
      if (!sub(/\(\)/, "", name)) name = "figures." name
      Write("figures.c.inc", "(void)" name ";")
    }
  }
}

# What a page of another form no longer has fails here, and not in silence.
END {
  split("program.cc program.c calls.cc calls.c figures.cc figures.c", names, " ")
  for (i in names)
    if (lines[names[i] ".inc"] < 4) {
      print "docs/api.md: no code for " names[i] > "/dev/stderr"
      exit 1
    }
}
