// What a person with a keyboard, a screen reader or weak eyes needs of a page: a list of what is wrong with it.
() => {
  const wrong = [];
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const described = (element) => `${element.tagName.toLowerCase()} ${element.className?.baseVal ?? element.className} "${(element.textContent ?? "").trim().slice(0, 40)}"`;

  if (!document.documentElement.lang) wrong.push("the page has no language");
  if (document.querySelectorAll("main").length !== 1) wrong.push("there is not one main");
  if (document.querySelectorAll("h1").length !== 1) wrong.push("there is not one h1");
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const now = Number(heading.tagName[1]);
    if (now > level + 1) wrong.push(`heading "${heading.textContent}" skips from ${level} to ${now}`);
    level = now;
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids) if (ids.filter((other) => other === id).length > 1) wrong.push(`id ${id} is there twice`);
  for (const name of ["aria-describedby", "aria-labelledby"])
    for (const element of document.querySelectorAll(`[${name}]`))
      for (const id of element.getAttribute(name).split(" ")) if (!document.getElementById(id)) wrong.push(`${name}="${id}" names nothing`);
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!field.labels.length) wrong.push(`${described(field)} has no label`);
  for (const element of document.querySelectorAll("a, button"))
    if (seen(element) && !element.textContent.trim() && !element.getAttribute("aria-label")) wrong.push(`${described(element)} has no name`);
  for (const picture of document.querySelectorAll("svg"))
    if (picture.getAttribute("aria-hidden") !== "true" && !(picture.getAttribute("role") === "img" && picture.getAttribute("aria-label"))) wrong.push(`a picture without words in ${described(picture.parentElement)}`);
  for (const table of document.querySelectorAll("table")) {
    if (!table.querySelector("th")) wrong.push("a table without headings");
    for (const cell of table.querySelectorAll("thead th")) if (!cell.scope) wrong.push(`heading ${described(cell)} has no scope`);
  }
  for (const nav of document.querySelectorAll("nav, [role=search], [role=region]"))
    if (!nav.getAttribute("aria-label") && !nav.getAttribute("aria-labelledby")) wrong.push(`${described(nav)} has no label`);
  for (const element of document.querySelectorAll("[style], script:not([src]), style")) wrong.push(`${described(element)} is inline`);
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`the page is ${document.documentElement.scrollWidth} wide on a screen of ${innerWidth}`);

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return { r, g, b, a: a / 255 };
  };
  const over = (front, back) => {
    const mix = (name) => front[name] * front.a + back[name] * (1 - front.a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const behind = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) layers.push(colour(getComputedStyle(each).backgroundColor));
    return layers.reverse().reduce((back, front) => over(front, back), { r: 255, g: 255, b: 255, a: 1 });
  };
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const done = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (done.has(element) || !walker.currentNode.textContent.trim() || !seen(element) || element.closest(".hidden, .skip, option")) continue;
    done.add(element);
    const style = getComputedStyle(element);
    const back = behind(element);
    const [a, b] = [light(over(colour(style.color), back)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) wrong.push(`${described(element)} has a contrast of ${ratio.toFixed(2)}`);
    if (parseFloat(style.fontSize) < 12) wrong.push(`${described(element)} is ${style.fontSize} small`);
  }
  return wrong;
}
