# SPDX-License-Identifier: Apache-2.0
# Lines "WHAT OURS THEIRS", two rates of one pair: of each WHAT their means and
# the ratio with a 95 % interval of its mean over pairs (Student's t on
# logarithms). Variables: name, unit, peer.
{
  ++n[$1]; ours[$1] += $2; theirs[$1] += $3
  x = log($2 / $3); s[$1] += x; q[$1] += x * x
}
END {
  # 97.5 % of Student t, 2 to 20 pairs.
  split("12.71 4.30 3.18 2.78 2.57 2.45 2.36 2.31 2.26 2.23 2.20 2.18 2.16 " \
        "2.14 2.13 2.12 2.11 2.10 2.09", t, " ")
  for (k in n) {
    m = s[k] / n[k]
    sd = n[k] > 1 ? sqrt((q[k] - n[k] * m * m) / (n[k] - 1)) : 0
    h = n[k] > 1 ? (n[k] > 20 ? 2.05 : t[n[k] - 1]) * sd / sqrt(n[k]) : 0
    printf "%-24s %-8s %8.1f %s, %s %8.1f: %.3f times [%.3f, %.3f], " \
           "%d pairs\n", name, k, ours[k] / n[k], unit, peer, \
           theirs[k] / n[k], exp(m), exp(m - h), exp(m + h), n[k]
  }
}
