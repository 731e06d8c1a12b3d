"""The limit: a bare asyncio loop with aiohttp; no queue, nothing durable, nothing survives."""

from __future__ import annotations

import asyncio
import os
import sys

import aiohttp

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import job


async def main(count: int) -> None:
    lane = asyncio.Semaphore(job.IN_FLIGHT)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=job.IN_FLIGHT)) as http:

        async def post(body: bytes) -> bytes:
            async with lane, http.post(job.URL, data=body, headers=job.HEADERS) as answer:
                return await answer.read()

        async def one(number: int) -> None:
            reference = job.reference_of(await post(job.create_body(job.order_id(number))))
            await asyncio.sleep(job.DELAY_SECONDS)
            job.result_of(await post(job.read_body(reference)))

        await asyncio.gather(*(one(number) for number in range(count)))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
