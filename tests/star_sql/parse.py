"""parse.py DIALECT FILE…: is each script understood, statement by statement? Prints how many there are."""

import sys

import sqlglot

dialect, *scripts = sys.argv[1:]
for script in scripts:
    statements = [statement for statement in open(script).read().split(";\n") if statement.strip()]
    for statement in statements:
        tree = sqlglot.parse_one(statement, read=dialect)
        assert not isinstance(tree, sqlglot.exp.Command), f"{script}: {statement}"
    print(len(statements))
