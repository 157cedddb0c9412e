// @ts-check
// Who stands where on the page: pure functions from who is there to what is shown. Drawing is room-people.js's.

/** @typedef {import('./media.js').Member} Member */
/** @typedef {'podium'|'grid'|'wall'|'audio'} Layout */
/** @typedef {{member: string, kind: 'video'|'screen'}} Place one tile: a person, or what a person's screen shows */

/** Up to here everybody has a tile in every layout; above it those without picture have one on the wall alone. */
const SMALL_ROOM = 12;
/** The most tiles of a wall, as the hub sends them. */
export const WALL = 120;

/**
 * How many pictures to ask the hub for beside the podium: as many as can be told apart on this screen.
 * @param {Layout} layout @param {number} width of the window, in pixels
 */
export function wantedTiles(layout, width) {
  if (layout === 'wall') return WALL;
  if (layout === 'audio') return 0;
  if (width < 600) return layout === 'grid' ? 8 : 4;
  return layout === 'grid' ? 25 : 9;
}

/**
 * What stands large, and what beside it.
 * @param {object} room
 * @param {Member[]} room.members who is to be seen, in the order of arrival
 * @param {Layout} room.layout
 * @param {Set<string>} room.pictures whose camera is received
 * @param {string[]} room.screens whose screen is received
 * @param {string|null} room.pinned whom this viewer wants large
 * @param {string|null} room.podium whom the hub's picture of the podium shows, or who stands there for everybody
 * @param {Set<string>} room.loud who speaks
 * @param {string|null} room.before who stood large until now
 * @returns {{large: Place|null, beside: Place[], unseen: number}} `unseen`: how many people have no tile
 */
export function arrange({ members, layout, pictures, screens, pinned, podium, loud, before }) {
  const others = members.filter((member) => !member.me);
  const other = (/** @type {string|null} */ id) => others.find((member) => member.id === id)?.id;
  const person = other(pinned) ?? (layout === 'podium' ? other(podium) ?? other(before) ?? others[0]?.id ?? members[0]?.id : undefined);
  const screen = screens.find((id) => members.some((member) => member.id === id));
  /** @type {Place|null} */
  let large = null;
  if (other(pinned)) large = { member: /** @type {string} */ (pinned), kind: 'video' };
  else if (screen) large = { member: screen, kind: 'screen' };
  else if (person) large = { member: person, kind: 'video' };

  const isLarge = (/** @type {Place} */ place) => place.member === large?.member && place.kind === large.kind;
  const everybody = members.length <= SMALL_ROOM || layout === 'wall' || layout === 'audio';
  const shown = members.filter((member) => everybody || member.me || member.hand || pictures.has(member.id) || loud.has(member.id));
  /** @type {Place[]} */
  const places = [
    ...screens.map((member) => ({ member, kind: /** @type {const} */ ('screen') })),
    ...shown.slice(0, WALL).map(({ id }) => ({ member: id, kind: /** @type {const} */ ('video') })),
  ];
  const unseen = members.length - new Set([...places, large].map((place) => place?.member).filter(Boolean)).size;
  return { large, beside: places.filter((place) => !isLarge(place)), unseen: Math.max(unseen, 0) };
}

/**
 * The number of columns that makes tiles of 16 to 9 largest in a box, and their width in whole pixels.
 * @param {number} count @param {number} width @param {number} height @param {number} gap all in pixels
 * @returns {{columns: number, width: number}}
 */
export function fitGrid(count, width, height, gap) {
  let best = { columns: 1, width: 0 };
  for (let columns = 1; columns <= Math.max(count, 1); columns += 1) {
    const rows = Math.ceil(Math.max(count, 1) / columns);
    const byWidth = (width - gap * (columns - 1)) / columns;
    const byHeight = ((height - gap * (rows - 1)) / rows) * (16 / 9);
    const tile = Math.floor(Math.min(byWidth, byHeight));
    if (tile > best.width) best = { columns, width: tile };
  }
  return best;
}

/**
 * What a listener who cannot see should be told: from the list of members as it was to the list as it is.
 * @param {Map<string, Member>} before @param {Member[]} now
 * @returns {{what: 'joined'|'left'|'hand'|'screen'|'broken', name: string}[]}
 */
export function changesAmong(before, now) {
  const inside = (/** @type {Member|undefined} */ member) => member !== undefined && member.status !== 'waiting';
  const changes = [];
  for (const member of now) {
    const old = before.get(member.id);
    if (member.me || !inside(member)) continue;
    if (!inside(old)) changes.push({ what: /** @type {const} */ ('joined'), name: member.name });
    if (member.hand && !old?.hand) changes.push({ what: /** @type {const} */ ('hand'), name: member.name });
    if (member.screen && !old?.screen) changes.push({ what: /** @type {const} */ ('screen'), name: member.name });
    if (member.status === 'away' && old?.status === 'in_room') changes.push({ what: /** @type {const} */ ('broken'), name: member.name });
  }
  const still = new Set(now.filter(inside).map(({ id }) => id));
  for (const old of before.values()) {
    if (!old.me && inside(old) && !still.has(old.id)) changes.push({ what: /** @type {const} */ ('left'), name: old.name });
  }
  return changes;
}

/**
 * The sentences for such changes. Of many of one kind only the number is told: nobody listens to forty names.
 * @param {{what: string, name: string}[]} changes @param {(id: string) => string} say @returns {string[]}
 */
export function sentences(changes, say) {
  const kinds = [...new Set(changes.map(({ what }) => what))];
  return kinds.flatMap((what) => {
    const names = changes.filter((change) => change.what === what).map(({ name }) => name);
    if (names.length > 3) return [say(`told-many-${what}`).replace('[number]', String(names.length))];
    return names.map((name) => say(`told-${what}`).replace('[name]', () => name));
  });
}
