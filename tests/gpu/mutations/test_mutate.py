"""mutate.py itself: what it takes for an edit, and that it can tell a mutant that is noticed from one that is not.

    test_mutate.py SOURCE BUILD TEST        # TEST: the built test of the merge kernel, the smallest there is
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import mutate

SOURCE, BUILD, TEST = sys.argv[1:4]
MERGE = "gpu/kernels/merge_body.hpp"


def edit(old, new=""):
    return mutate.Edit("name", "gpu/x.hpp", "why", old, new)


class Edits(unittest.TestCase):
    def test_a_list(self):
        (one, two) = mutate.parse("## comment\n\na gpu/x.hpp\n# wrong\n- f(1);\n-   g();\n+ f(2);\n\n\nb gpu/y.hpp\n# gone\n- h();\n")
        self.assertEqual(one, mutate.Edit("a", "gpu/x.hpp", "wrong", "f(1);\n  g();", "f(2);"))
        self.assertEqual((two.old, two.new), ("h();", ""))

    def test_what_is_no_list(self):
        for text in ("a gpu/x.hpp\n- f();\n", "a gpu/x.hpp\n# why\n+ f();\n", "a reference/x.hpp\n# why\n- f();\n",
                     "a gpu/x.hpp\n# why\n- f();\nstray\n"):
            with self.assertRaises(mutate.Broken):
                mutate.parse(text)

    def test_found_once_whatever_the_blanks(self):
        text = "int first_row = row;\n    f( row,\n       1 );\n"
        self.assertEqual(mutate.apply(edit("f(row, 1);", "g();"), text), "int first_row = row;\n    g();\n")
        self.assertEqual(mutate.apply(edit("= row;", "= 0;"), text), "int first_row = 0;\n    f( row,\n       1 );\n")

    def test_names_end_where_they_end(self):
        self.assertEqual(mutate.apply(edit("row", "0"), "rows + my_row + row;"), "rows + my_row + 0;")

    def test_an_edit_that_rots_is_an_error(self):
        for old, new in (("h();", ""), ("f();", "g();"), ("g();", "g() ;")):
            with self.assertRaises(mutate.Broken):
                mutate.apply(edit(old, new), "f(); f(); g();")


class Mutants(unittest.TestCase):
    def run_tool(self, *blocks):
        with tempfile.TemporaryDirectory() as folder:
            listed = pathlib.Path(folder, "edits.txt")
            listed.write_text("\n\n".join(blocks))
            done = subprocess.run([sys.executable, "-B", str(HERE / "mutate.py"), SOURCE, BUILD, TEST, "--edits", str(listed)],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        return done.returncode, done.stdout

    def test_survivors_and_broken_edits_are_told(self):
        harmless = f"harmless {MERGE}\n# nothing\n- w.sum = 0;\n+ w.sum = Real(0) + Real(0);\n"
        gibberish = f"gibberish {MERGE}\n# does not compile\n- w.sum = 0;\n+ w.sum = nonsense;\n"
        status, words = self.run_tool(harmless)
        self.assertEqual(status, mutate.SURVIVED, words)
        self.assertIn("SURVIVED  harmless", words)
        status, words = self.run_tool(gibberish)
        self.assertEqual(status, mutate.BROKEN, words)
        self.assertRegex(words, "BROKEN    gibberish: does not build: .*nonsense")

    def test_files_that_no_test_reads(self):
        status, words = self.run_tool("elsewhere gpu/machine/device.cuh\n# not compiled here\n- __syncthreads();\n")
        self.assertEqual(status, mutate.BROKEN, words)
        self.assertIn("no test reads", words)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
