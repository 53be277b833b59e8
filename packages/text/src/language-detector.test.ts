import { expect, it } from "vitest";
import { openLanguageDetector } from "./language-detector.js";

it("tells the language of prose, whatever code and names stand in it", async () => {
  const languageOf = await openLanguageDetector();
  const texts: Record<string, string> = {
    en: "The parser keeps every comment, so that the file can be written again. Set `comments` to false to drop them.",
    de: "Der Parser behält alle Kommentare, damit die Datei wieder geschrieben werden kann. Mit `comments: false` fallen sie weg.",
    fr: "L'analyseur garde tous les commentaires, afin que le fichier puisse être écrit de nouveau sans rien perdre.",
    es: "El analizador conserva todos los comentarios, de modo que el archivo se pueda escribir de nuevo sin perder nada.",
    ru: "Парсер сохраняет все комментарии, чтобы файл можно было записать снова.",
    ja: "`createApp()` で作成した Vue アプリケーションインスタンスに provide でデータを渡します。\n```js\nconst app = createApp({})\napp.provide('message', 'hello from the application instance')\n```",
    zh: "解析器会保留所有注释，因此文件可以再次写入。",
    th: "ตัวแยกวิเคราะห์จะเก็บความคิดเห็นทั้งหมดไว้ เพื่อให้เขียนไฟล์ได้อีกครั้ง",
    ar: "يحتفظ المحلل بجميع التعليقات حتى يمكن كتابة الملف مرة أخرى.",
    hi: "पार्सर सभी टिप्पणियाँ रखता है, ताकि फ़ाइल फिर से लिखी जा सके।",
    ko: "파서는 모든 주석을 유지하므로 파일을 다시 쓸 수 있습니다.",
  };
  expect(Object.fromEntries(Object.entries(texts).map(([code, text]) => [code, languageOf(text)]))).toEqual(
    Object.fromEntries(Object.keys(texts).map((code) => [code, code])),
  );
});

it("does not guess", async () => {
  const languageOf = await openLanguageDetector();
  for (const text of [
    "",
    "42",
    "timeout retries",
    "```\nnpm install --save-dev vite\n```",
    "https://example.com/der/die/das",
  ])
    expect(languageOf(text), text).toBeUndefined();
});
