// A figure leaves the page in its light colours, written out, so that any drawing program shows it as it is.
for (const figure of document.querySelectorAll("figure")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Save figure";
  button.addEventListener("click", () => {
    const drawn = figure.querySelector(".wide svg").outerHTML.replace(/var\(--[a-z]+, (#[0-9a-f]+)\)/gi, "$1");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([drawn], { type: "image/svg+xml" }));
    link.download = figure.dataset.name + ".svg";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  figure.querySelector("h3").append(button);
}
