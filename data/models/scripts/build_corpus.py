"""Turns documentation folders into one JSONL corpus: {"family", "source", "title", "text"} a line, text in plain Markdown.

    python build_corpus.py --out corpus.jsonl \
        --tree python=/path/to/python3.11-doc --tree nodejs=/path/to/nodejs-doc ... \
        --npm /path/to/project/node_modules --exclude names.txt \
        --jsonl faire=/path/to/docs.jsonl

--tree   NAME=FOLDER of an unpacked documentation package (HTML and Markdown files are read)
--npm    a node_modules folder whose READMEs are read
--exclude  a file with package names (one a line) whose READMEs are left out: what the quickstart itself reads
--jsonl  NAME=FILE with "source", "title" and "text" a line
Only the standard library is needed.
"""
import argparse
import hashlib
import json
import re
from html.parser import HTMLParser
from multiprocessing import Pool
from pathlib import Path

VOID = {"br", "hr", "img", "input", "link", "meta", "col", "wbr", "area", "base", "embed", "source", "track"}
DROP_TAGS = {"script", "style", "nav", "header", "footer", "aside", "head", "svg", "form", "button", "iframe"}
DROP_CLASSES = {"headerlink", "sphinxsidebar", "related", "navheader", "navfooter", "footer", "toc", "toplang",
                "bottomlang", "mark", "api_metadata", "viewcode-link", "apidocs", "menubar", "nosearch", "up", "langdrop",
                "linenos", "linenodiv", "sidebar", "nav", "fancy_toc", "toolbar", "tocwrapper", "mobile-nav"}
DROP_IDS = {"toc", "column2", "header", "footer", "page-header", "comments_section", "quickview", "path", "sidebar"}
BLOCKS = {"p", "div", "section", "article", "ul", "ol", "dl", "dd", "table", "blockquote", "tbody", "main", "figure"}
SKIP_FILES = re.compile(
    r"(^|/)(genindex|search|py-modindex|modindex|np-modindex|contents|bookindex|print|all|sitemap|doclist|keyword_index)[^/]*\.html$"
    r"|/_modules/|/_sources/|/releaselog/|/releases/|/whatsnew/|/changelog|(^|/)release[^/]*\.html|/matrix|/_static/|/policies/|/examples?/")


class ToMarkdown(HTMLParser):
    """A small HTML to Markdown writer, enough for documentation pages."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.out, self.stack, self.dropped, self.pre, self.title, self.in_title = [], [], 0, 0, "", False

    def handle_starttag(self, tag, attrs):
        if tag == "title":
            self.in_title = True
        if tag in VOID:
            if tag == "br" and not self.dropped:
                self.out.append("\n")
            return
        attrs = dict(attrs)
        drop = (tag in DROP_TAGS or bool(DROP_CLASSES & set((attrs.get("class") or "").split()))
                or attrs.get("id") in DROP_IDS)
        self.stack.append((tag, drop))
        self.dropped += drop
        if self.dropped:
            return
        if re.fullmatch("h[1-6]", tag):
            self.out.append("\n\n" + "#" * int(tag[1]) + " ")
        elif tag == "pre":
            self.pre += 1
            self.out.append("\n\n```\n")
        elif tag == "code" and not self.pre:
            self.out.append("`")
        elif tag == "li":
            self.out.append("\n- ")
        elif tag in ("dt", "tr"):
            self.out.append("\n")
        elif tag in ("td", "th"):
            self.out.append(" | ")
        elif tag in BLOCKS:
            self.out.append("\n\n")

    def handle_endtag(self, tag):
        if tag == "title":
            self.in_title = False
        if tag in VOID or not any(name == tag for name, _ in self.stack):
            return
        while self.stack:
            name, drop = self.stack.pop()
            visible = not self.dropped
            self.dropped -= drop
            if visible:
                if name == "pre":
                    self.pre -= 1
                    self.out.append("\n```\n\n")
                elif name == "code" and not self.pre:
                    self.out.append("`")
                elif re.fullmatch("h[1-6]", name) or name in BLOCKS:
                    self.out.append("\n\n")
            if name == tag:
                break

    def handle_data(self, data):
        if self.in_title:
            self.title += data
        if not self.dropped:
            self.out.append(data if self.pre else re.sub(r"\s+", " ", data))

    def text(self):
        return tidy("".join(self.out))


def tidy(text):
    text = text.replace("\r\n", "\n").replace("\u00b6", "").replace("\u00a0", " ")
    for a, b in (("\u2019", "'"), ("\u2018", "'"), ("\u201c", '"'), ("\u201d", '"'), ("\u2013", "-"), ("\u2014", "-"), ("\u2026", "...")):
        text = text.replace(a, b)
    parts = re.split(r"(```.*?```)", text, flags=re.S)
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"[ \t]+", " ", parts[i])
        parts[i] = re.sub(r" *\n *", "\n", parts[i])
        parts[i] = re.sub(r"\n- *\n+", "\n- ", parts[i])
        parts[i] = re.sub(r"``+", "", parts[i])
    text = re.sub(r"\n{3,}", "\n\n", "".join(parts))
    return re.sub(r"```\n+", "```\n", text).strip()


def markdown_text(raw):
    """Markdown as in READMEs, without badges, images, comments, HTML and link targets."""
    raw = re.sub(r"<!--.*?-->", "", raw, flags=re.S)
    raw = re.sub(r"^---\n.*?\n---\n", "", raw, flags=re.S)
    raw = re.sub(r"\[!\[[^\]]*\]\([^)]*\)\]\([^)]*\)|!\[[^\]]*\]\([^)]*\)|\[!\[[^\]]*\](\[[^\]]*\]|\([^)]*\))\](\[[^\]]*\])?", "", raw)
    raw = re.sub(r"^\[[^\]]+\]:.*$", "", raw, flags=re.M)
    raw = re.sub(r"\[([^\]\[]+)\](\([^)]*\)|\[[^\]]*\])", r"\1", raw)
    raw = re.sub(r"^(.+)\n={3,}$", r"# \1", raw, flags=re.M)
    raw = re.sub(r"^(.+)\n-{3,}$", r"## \1", raw, flags=re.M)
    raw = re.sub(r"^([ ]*)[*+] ", r"\1- ", raw, flags=re.M)
    parts = re.split(r"(```.*?```)", raw, flags=re.S)
    parts[::2] = [re.sub(r"</?[a-zA-Z][^>]*>", "", p) for p in parts[::2]]
    return tidy("".join(parts))


def english(text):
    letters = sum(c.isascii() for c in text)
    return letters > 0.97 * len(text)


def read_one(job):
    family, path, source = job
    try:
        raw = Path(path).read_text("utf-8", errors="ignore")
    except OSError:
        return None
    title = ""
    if path.endswith((".html", ".htm")):
        if len(raw) > 1_500_000:
            return None
        parser = ToMarkdown()
        parser.feed(raw)
        text, title = parser.text(), re.sub(r"\s+", " ", parser.title).strip()
        title = re.split(r" [\u2014|] | - (?=Apache|Rust|SQLite)", title)[0]
    else:
        text = markdown_text(raw)
    first = re.search(r"^# (.+)$", text, flags=re.M)
    title = (first.group(1) if first else title).strip().strip("`")
    if len(text) < 300 or not english(text):
        return None
    return {"family": family, "source": source, "title": title[:120], "text": text[:120_000]}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", required=True)
    ap.add_argument("--tree", action="append", default=[])
    ap.add_argument("--npm", action="append", default=[])
    ap.add_argument("--exclude", action="append", default=[])
    ap.add_argument("--jsonl", action="append", default=[])
    ap.add_argument("--cap", type=int, default=4_000_000, help="most characters taken from one family")
    args = ap.parse_args()

    excluded = {n.strip() for f in args.exclude for n in Path(f).read_text().split("\n") if n.strip()}
    jobs = []
    for spec in args.tree:
        family, root = spec.split("=", 1)
        for path in sorted(Path(root).rglob("*")):
            name = "/" + path.relative_to(root).as_posix()
            if path.suffix in (".html", ".md") and path.is_file() and not path.is_symlink() and not SKIP_FILES.search(name):
                jobs.append((family, str(path), f"{family}/{path.stem}{path.suffix}"))
    for root in args.npm:
        for pkg in sorted(Path(root).rglob("package.json")):
            folder = pkg.parent
            name = folder.as_posix().split("node_modules/")[-1]
            if name in excluded or name.count("/") > name.startswith("@"):
                continue
            for readme in folder.iterdir():
                if readme.name.lower() == "readme.md":
                    jobs.append(("npm", str(readme), f"{name}/README.md"))
    with Pool() as pool:
        docs = [d for d in pool.imap(read_one, jobs, chunksize=16) if d]
    for spec in args.jsonl:
        family, path = spec.split("=", 1)
        for line in open(path, encoding="utf-8"):
            row = json.loads(line)
            title = row.get("title") or row.get("description") or ""
            text = tidy(row["text"])
            if len(text) > 300 and english(text):
                docs.append({"family": family, "source": row["source"], "title": title[:120], "text": text})

    # Shuffle by content hash (reproducible), drop duplicates, cap each family.
    docs.sort(key=lambda d: hashlib.sha1((d["source"] + d["text"][:2000]).encode()).hexdigest())
    seen, used, count = set(), {}, {}
    with open(args.out, "w", encoding="utf-8") as out:
        for d in docs:
            key = hashlib.sha1(d["text"][:3000].encode()).digest()
            if key in seen or used.get(d["family"], 0) > args.cap:
                continue
            seen.add(key)
            used[d["family"]] = used.get(d["family"], 0) + len(d["text"])
            count[d["family"]] = count.get(d["family"], 0) + 1
            out.write(json.dumps(d, ensure_ascii=False) + "\n")
    for family in sorted(used):
        print(f"{family:12} {count[family]:5} documents {used[family] / 1e6:7.2f} M characters")
    print(f"total {sum(used.values()) / 1e6:.2f} M characters")


if __name__ == "__main__":
    main()
